# pyright: basic
"""The passes over one patch: its low frequencies, its colour and share, its ink, and the drawing itself."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from facefusion_live.adapters.gpu import textures
from facefusion_live.adapters.gpu.handles import Handles
from facefusion_live.adapters.gpu.library import GL
from facefusion_live.adapters.gpu.plan import Box, Plan
from facefusion_live.adapters.gpu.programs import (
    CELL_SAMPLERS,
    RAW_SAMPLERS,
    SAMPLER_UNITS,
    Program,
    Sources,
    check_parameters,
)
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
        self._programs = _programs(handles, Sources(shaders))
        check_parameters(self._programs.values())
        self._cells, self._blurred = (Target(handles, _grids(handles, _PADDED, count)) for count in (2, 4))
        self._gain = Target(handles, _grids(handles, blend.GRID, 1, smooth=True))
        # Read even where the light is not matched: what is multiplied by 0 must be a number.
        self._gain.clear()
        self._ink = Target(handles, [Texture(handles, textures.DEEP)])
        self.proof = Target(handles, [Texture(handles, textures.PROOF, _GRID_WH)])

    def shade(self, plan: Plan, slot: PatchTextures, video_wh: tuple[int, int], settings: Settings) -> None:
        """Everything that can be done before the picture is drawn into: light and share of a patch."""
        slot.bind()
        mixed = ("ENHANCED",) if plan.patch.enhanced is not None else ()
        if settings.look.match:
            self._match(plan, video_wh, settings, mixed)
        self._gain.textures[0].bind(SAMPLER_UNITS["gain"])
        self._fill(("light", *mixed), slot.light, plan, settings, _values(plan, video_wh))

    def _match(self, plan: Plan, video_wh: tuple[int, int], settings: Settings, mixed: tuple[str, ...]) -> None:
        """The lighting ratio of each cell."""
        radius = blend.RELIGHT_RADIUS
        values = _values(plan, video_wh) | {"cell_px": 1, "origin": (radius, radius)}
        self._cells.clear()
        placed = ("ALIGNED",) if plan.shift is not None else ()
        self._fill(("cells", *placed, *mixed), self._cells, plan, settings, values)
        _bind(self._cells, CELL_SAMPLERS)
        self._blurred.clear()
        self._blurred.use(_moved(plan.lit, radius))
        self._programs["blur",].use(settings, values)
        _draw()
        _bind(self._blurred, CELL_SAMPLERS)
        _bind(self._cells, RAW_SAMPLERS)
        self._gain.use(plan.lit)
        self._programs["blur", "RATIO"].use(settings, values)
        _draw()

    def draw(
        self, plan: Plan, slot: PatchTextures, video: Target, video_wh: tuple[int, int], settings: Settings
    ) -> None:
        """Draw a shaded patch into the picture."""
        slot.light.textures[0].bind(SAMPLER_UNITS["light"])
        values = _values(plan, video_wh)
        ink = ("ink", "SHARPENED") if settings.look.sharpness else ("ink",)
        if plan.shift is not None:
            over = {"origin": plan.shift, "extent": video_wh}
            self._fill(ink, video, plan, settings, values | over, mixed=True)
            return
        (texture,) = self._ink.textures
        texture.fit((plan.patch.size_px, plan.patch.size_px))
        self._fill(ink, self._ink, plan, settings, values | {"shift": (0, 0)})
        texture.bind(SAMPLER_UNITS["ink"])
        video.use((0, 0, *video_wh))
        self._programs["place",].use(settings, values)
        _draw(mixed=True)

    def prove(self, plan: Plan, slot: PatchTextures, serial: int, settings: Settings) -> None:
        """Write down what was drawn: the share in the middle of each cell."""
        slot.light.textures[0].bind(SAMPLER_UNITS["light"])
        self.proof.clear()
        values = _values(plan, _GRID_WH) | {"cell_px": 1, "serial": float(serial)}
        self._fill(("proof",), self.proof, plan, settings, values)

    def _fill(
        self,
        name: tuple[str, ...],
        target: Target,
        plan: Plan,
        settings: Settings,
        values: dict[str, Any],
        *,
        mixed: bool = False,
    ) -> None:
        """Run a program over the cells of a patch that can show."""
        extent = values.get("extent", target.textures[0].size_wh)
        target.use((0, 0, *extent))
        _, first, _, last = plan.cells
        self._programs[name].use(settings, values | {"extent": extent, "first_row": first})
        _draw(last - first, mixed=mixed)


def _programs(handles: Handles, sources: Sources) -> dict[tuple[str, ...], Program]:
    """Every program by its name and the switches it was made with."""
    found: dict[tuple[str, ...], Program] = {}

    def add(vertex: list[str], fragment: list[str], *switches: str) -> None:
        name = (fragment[-1].removesuffix(".frag"), *switches)
        vertex_text, fragment_text = sources.text(vertex), sources.text(fragment, switches)
        found[name] = Program(handles, " ".join(name), vertex_text, fragment_text)

    spans = ["spans.vert"]
    for mixed in ((), ("ENHANCED",)):
        add(spans, ["common.glsl", "mixed.glsl", "cells.frag"], "ALIGNED", *mixed)
        add(spans, ["common.glsl", "mixed.glsl", "place.glsl", "cells.frag"], *mixed)
        add(spans, ["common.glsl", "mixed.glsl", "light.frag"], *mixed)
    for switches in ((), ("RATIO",)):
        add(["fill.vert"], ["blur.frag"], *switches)
    for switches in ((), ("SHARPENED",)):
        add(spans, ["ink.glsl", "ink.frag"], *switches)
    add(["place.glsl", "place.vert"], ["place.glsl", "place.frag"])
    add(spans, ["proof.frag"])
    return found


def _values(plan: Plan, video_wh: tuple[int, int]) -> dict[str, Any]:
    patch = plan.patch
    return {
        "video_size": video_wh,
        "shift": plan.shift or (0, 0),
        "step_px": plan.step_px,
        "size_px": patch.size_px,
        "box": plan.box,
        "spans": plan.spans,
        "cell_px": plan.step_px,
        "origin": (0, 0),
        "has_coverage": patch.coverage is not None,
        "frame_from_crop": plan.frame_from_crop,
        "crop_from_frame": patch.crop_from_frame,
    }


def _grids(handles: Handles, edge: int, count: int, *, smooth: bool = False) -> list[Texture]:
    return [Texture(handles, textures.FLOATS, (edge, edge), smooth=smooth) for _ in range(count)]


def _bind(target: Target, samplers: Sequence[str]) -> None:
    for texture, sampler in zip(target.textures, samplers, strict=False):  # cells have no near ones yet
        texture.bind(SAMPLER_UNITS[sampler])


def _moved(box: Box, by: int) -> Box:
    return box[0] + by, box[1] + by, box[2] + by, box[3] + by


def _draw(rows: int = 1, *, mixed: bool = False) -> None:
    """Fill what is in use; with `mixed` over what is there, by the share in the alpha channel."""
    if mixed:
        GL.glEnable(GL.GL_BLEND)
    GL.glDrawArraysInstanced(GL.GL_TRIANGLE_STRIP, 0, 4, rows)
    if mixed:
        GL.glDisable(GL.GL_BLEND)


def proof_of(raw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(shares, serials) of a proof as it is read back, each (n, n) float32."""
    grid = raw.view(np.float32).reshape(blend.GRID, blend.GRID, 2)
    return grid[..., 0], grid[..., 1]
