# pyright: basic
"""The passes over one patch: its low frequencies, its colour and share, its ink, and the drawing itself."""

from pathlib import Path
from typing import Any

import numpy as np

from facefusion_live.adapters.gpu import textures
from facefusion_live.adapters.gpu.handles import Handles
from facefusion_live.adapters.gpu.library import GL
from facefusion_live.adapters.gpu.plan import Box, Plan
from facefusion_live.adapters.gpu.programs import SAMPLER_UNITS, Program, Sources, check_parameters
from facefusion_live.adapters.gpu.textures import Target, Texture
from facefusion_live.adapters.gpu.transfer import Upload
from facefusion_live.domain import blend
from facefusion_live.domain.settings import Settings

_PADDED = blend.GRID + 2 * blend.RELIGHT_RADIUS
_GRID_WH = (blend.GRID, blend.GRID)


class PatchTextures:
    """What one patch of a picture needs on the device; kept for the next picture."""

    def __init__(self, handles: Handles) -> None:
        self.swap, self.enhanced = (Texture(handles, textures.RGB) for _ in range(2))
        self.regions, self.coverage = Texture(handles, textures.RGBA), Texture(handles, textures.GREY)
        self.light = Target(handles, [Texture(handles, textures.DEEP)])

    def fit(self, plan: Plan) -> None:
        """Make room for a patch."""
        size_wh, patch = (plan.patch.size_px, plan.patch.size_px), plan.patch
        wanted = [self.swap, self.regions, *self.light.textures]
        wanted += [self.enhanced] if patch.enhanced is not None else []
        wanted += [self.coverage] if patch.coverage is not None else []
        for texture in wanted:
            texture.fit(size_wh)

    def collect(self, upload: Upload, plan: Plan) -> None:
        """Have the part that shows sent."""
        patch, box = plan.patch, plan.box
        for texture, image in (
            (self.swap, patch.swap),
            (self.enhanced, patch.enhanced),
            (self.regions, patch.regions),
            (self.coverage, patch.coverage),
        ):
            if image is not None:
                upload.add(texture, image.host(), box)

    def bind(self) -> None:
        """Let the passes read it."""
        for name in ("swap", "enhanced", "regions", "coverage"):
            getattr(self, name).bind(SAMPLER_UNITS[name])
        self.light.textures[0].bind(SAMPLER_UNITS["light"])


class Passes:
    """All programs, and the targets between them. Thread: the one that has the context.

    Raises:
        ResourceError: A shader is missing, does not compile, or does not keep to the table of settings.
    """

    def __init__(self, handles: Handles, shaders: Path) -> None:
        self._build(handles, Sources(shaders))
        self._cells, self._blurred = (_light_target(handles, _PADDED, 2) for _ in range(2))
        self._gain = _light_target(handles, blend.GRID, 1)
        # Read even where the light is not matched: what is multiplied by 0 must be a number.
        self._gain.clear()
        self._ink = Target(handles, [Texture(handles, textures.DEEP)])
        self.proof = Target(handles, [Texture(handles, textures.PROOF, _GRID_WH)])

    def _build(self, handles: Handles, sources: Sources) -> None:
        fill = sources.text(["fill.vert"])

        def program(fragment: list[str], *switches: str, vertex: str = fill) -> Program:
            label = " ".join([fragment[-1], *switches])
            return Program(handles, label, vertex, sources.text(fragment, switches))

        near, ink = ["common.glsl", "place.glsl"], ["common.glsl", "ink.glsl", "ink.frag"]
        place_vert = sources.text(["place.glsl", "place.vert"])
        self._cells_aligned = program([*near, "cells.frag"], "ALIGNED")
        self._cells_placed = program([*near, "cells.frag"])
        self._blur = program(["blur.frag"])
        self._ratio = program(["blur.frag"], "RATIO")
        self._light = program(["common.glsl", "light.frag"])
        self._ink_plain = program(ink)
        self._ink_sharp = program(ink, "SHARPENED")
        self._place = program([*near, "place.frag"], vertex=place_vert)
        self._prove = program(["proof.frag"])
        check_parameters(found for found in vars(self).values() if isinstance(found, Program))

    def shade(self, plan: Plan, slot: PatchTextures, video_wh: tuple[int, int], settings: Settings) -> None:
        """Everything that can be done before the picture is drawn into: light and share of a patch."""
        slot.bind()
        values = _values(plan, video_wh)
        if settings.look.match:
            self._match(plan, settings, values)
        self._gain.textures[0].bind(SAMPLER_UNITS["gain"])
        slot.light.use(plan.box)
        self._light.use(settings, values)
        _draw()

    def _match(self, plan: Plan, settings: Settings, values: dict[str, Any]) -> None:
        """The lighting ratio of each cell."""
        radius = blend.RELIGHT_RADIUS
        padded = _moved(plan.cells, radius)
        for target, program, box in (
            (self._cells, self._cells_aligned if plan.shift else self._cells_placed, padded),
            (self._blurred, self._blur, padded),
        ):
            target.clear()
            target.use(box)
            program.use(settings, values)
            _draw()
            for texture, sampler in zip(target.textures, ("bright_cells", "dark_cells"), strict=True):
                texture.bind(SAMPLER_UNITS[sampler])
        self._gain.use(plan.cells)
        self._ratio.use(settings, values)
        _draw()

    def draw(self, plan: Plan, slot: PatchTextures, video: Target, video_wh: tuple[int, int], settings: Settings) -> None:
        """Draw a shaded patch into the picture."""
        slot.light.textures[0].bind(SAMPLER_UNITS["light"])
        values = _values(plan, video_wh)
        ink = self._ink_sharp if settings.look.sharpness else self._ink_plain
        if plan.shift is not None:
            video.use(plan.stamp(video_wh, plan.shift))
            ink.use(settings, values)
            _draw(mixed=True)
            return
        (texture,) = self._ink.textures
        texture.fit((plan.patch.size_px, plan.patch.size_px))
        self._ink.use(plan.box)
        ink.use(settings, values | {"shift": (0, 0)})
        _draw()
        texture.bind(SAMPLER_UNITS["ink"])
        video.use((0, 0, *video_wh))
        self._place.use(settings, values)
        _draw(mixed=True)

    def prove(self, plan: Plan, slot: PatchTextures, serial: int, settings: Settings) -> None:
        """Write down what was drawn: the share in the middle of each cell."""
        slot.light.textures[0].bind(SAMPLER_UNITS["light"])
        self.proof.clear()
        self.proof.use(plan.cells)
        self._prove.use(settings, {"step_px": plan.step_px, "serial": float(serial)})
        _draw()


def _values(plan: Plan, video_wh: tuple[int, int]) -> dict[str, Any]:
    patch = plan.patch
    return {
        "video_size": video_wh,
        "shift": plan.shift or (0, 0),
        "step_px": plan.step_px,
        "size_px": patch.size_px,
        "box": plan.box,
        "has_enhanced": patch.enhanced is not None,
        "has_coverage": patch.coverage is not None,
        "frame_from_crop": plan.frame_from_crop,
        "crop_from_frame": patch.crop_from_frame,
    }


def _light_target(handles: Handles, edge: int, count: int) -> Target:
    return Target(handles, [Texture(handles, textures.FLOATS, (edge, edge)) for _ in range(count)])


def _moved(box: Box, by: int) -> Box:
    return box[0] + by, box[1] + by, box[2] + by, box[3] + by


def _draw(*, mixed: bool = False) -> None:
    """Fill what is in use; with `mixed` over what is there, by the share in the alpha channel."""
    if mixed:
        GL.glEnable(GL.GL_BLEND)
    GL.glDrawArrays(GL.GL_TRIANGLE_STRIP, 0, 4)
    if mixed:
        GL.glDisable(GL.GL_BLEND)


def proof_of(raw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(shares, serials) of a proof as it is read back, each (n, n) float32."""
    grid = raw.view(np.float32).reshape(blend.GRID, blend.GRID, 2)
    return grid[..., 0], grid[..., 1]
