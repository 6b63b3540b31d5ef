# pyright: basic, reportReturnType=false, reportArgumentType=false
# (PyOpenGL's types say None where a name comes back.)
"""Shader programs: sources put together, linked, and checked against the table of settings."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from facefusion_live.adapters.gpu.handles import Handles
from facefusion_live.adapters.gpu.library import GL
from facefusion_live.domain import blend
from facefusion_live.domain.errors import ResourceError
from facefusion_live.domain.settings import PARAMETERS, Settings

PARAMETER_PREFIX = "u_"
"""Uniforms named so are parameters; all others belong to the pass."""
CELL_SAMPLERS = ("bright_cells", "dark_cells", "bright_near", "dark_near")
"""Low frequencies of camera and swap, and those of the place itself."""
RAW_SAMPLERS = ("bright_raw", "dark_raw")
"""The cells as they were."""
SAMPLER_UNITS: Mapping[str, int] = {
    name: unit
    for unit, name in enumerate(
        ("video", "swap", "enhanced", "regions", "coverage", "gain", "light", "ink", *CELL_SAMPLERS, *RAW_SAMPLERS)
    )
}
"""Which texture unit each sampler reads, in every program."""


def _matrix(location: int, dest_from_source: np.ndarray) -> None:
    GL.glUniformMatrix3x2fv(location, 1, GL.GL_TRUE, np.ascontiguousarray(dest_from_source, np.float32))


def _pairs(location: int, pairs: np.ndarray) -> None:
    GL.glUniform2iv(location, len(pairs), pairs)


_SETTERS: Mapping[int, Callable[..., None]] = {
    GL.GL_FLOAT_MAT3x2: _matrix,
    GL.GL_FLOAT: GL.glUniform1f,
    GL.GL_INT: GL.glUniform1i,
    GL.GL_BOOL: GL.glUniform1i,
    GL.GL_INT_VEC2: GL.glUniform2i,
    GL.GL_INT_VEC4: GL.glUniform4i,
}


class Program:
    """A linked program with its uniforms.

    Args:
        handles: Owner.
        label: For messages.
        vertex: GLSL without its version line.
        fragment: The same.

    Raises:
        ResourceError: It does not compile or link.
    """

    def __init__(self, handles: Handles, label: str, vertex: str, fragment: str) -> None:
        self.label = label
        self._name = handles.make("program")
        shaders = [_compiled(GL.GL_VERTEX_SHADER, vertex, label), _compiled(GL.GL_FRAGMENT_SHADER, fragment, label)]
        for shader in shaders:
            GL.glAttachShader(self._name, shader)
        GL.glLinkProgram(self._name)
        for shader in shaders:
            GL.glDetachShader(self._name, shader)
            GL.glDeleteShader(shader)
        if not GL.glGetProgramiv(self._name, GL.GL_LINK_STATUS):
            raise ResourceError(f"shader {label} does not link: {told(GL.glGetProgramInfoLog(self._name))}")
        self.parameters: frozenset[str] = frozenset()
        self._own: list[tuple[str, int, Callable[..., None]]] = []
        self._looks: list[tuple[int, str]] = []
        self._look: Settings | None = None
        self._reflect()

    def use(self, settings: Settings, values: Mapping[str, Any]) -> None:
        """Draw with it from now on.

        Args:
            settings: Where parameters come from.
            values: Every other uniform that it has.
        """
        GL.glUseProgram(self._name)
        if settings is not self._look:
            for location, path in self._looks:
                GL.glUniform1f(location, settings.value(path))
            self._look = settings
        for name, location, put in self._own:
            value = values[name]
            if isinstance(value, tuple):
                put(location, *value)
            else:
                put(location, value)

    def _reflect(self) -> None:
        GL.glUseProgram(self._name)
        paths = {row.uniform.name: path for path, row in PARAMETERS.items() if row.uniform is not None}
        parameters: set[str] = set()
        for index in range(GL.glGetProgramiv(self._name, GL.GL_ACTIVE_UNIFORMS)):
            raw, count, kind = GL.glGetActiveUniform(self._name, index)
            name = told(raw).removesuffix("[0]")
            location = GL.glGetUniformLocation(self._name, name)
            if name.startswith(PARAMETER_PREFIX):
                parameters.add(name)
                if name in paths:
                    self._looks.append((location, paths[name]))
            elif kind == GL.GL_SAMPLER_2D:
                GL.glUniform1i(location, SAMPLER_UNITS[name])
            else:
                self._own.append((name, location, _pairs if count > 1 else _SETTERS[kind]))
        self.parameters = frozenset(parameters)


class Sources:
    """The folder of shaders."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def text(self, names: Sequence[str], switches: Sequence[str] = ()) -> str:
        """Some files behind each other, with the constants of `domain.blend` and some switches before them.

        Raises:
            ResourceError: A file is missing.
        """
        lines = ["#version 330 core", *(f"#define {switch}" for switch in switches), *_constants()]
        try:
            return "\n".join([*lines, *((self._folder / name).read_text("utf-8") for name in names)])
        except OSError as error:
            raise ResourceError("a shader is missing", advice="Install the program again.") from error


def check_parameters(programs: Iterable[Program]) -> None:
    """The parameters that shaders read are those that the table of settings declares: none more, none less.

    Raises:
        ResourceError: They are not.
    """
    declared = {row.uniform.name for row in PARAMETERS.values() if row.uniform is not None}
    read = frozenset().union(*(program.parameters for program in programs))
    if unread := sorted(declared - read):
        raise ResourceError(f"no shader reads {', '.join(unread)}, which the table of settings declares")
    if unknown := sorted(read - declared):
        raise ResourceError(f"shaders read {', '.join(unknown)}, which the table of settings does not declare")


def _constants() -> list[str]:
    low, high = blend.GAIN_LIMITS
    floats = {
        "EDGE_LEVEL": blend.EDGE_LEVEL,
        "DISTANCE_STEP": blend.DISTANCE_STEP,
        "KEEP_SOFTNESS": blend.KEEP_SOFTNESS,
        "RELIGHT_FLOOR": blend.RELIGHT_FLOOR,
        "GAIN_LOW": low,
        "GAIN_HIGH": high,
        "OWN_PALENESS": blend.OWN_PALENESS,
        "DIM_DARK": blend.DIM[0],
        "DIM_LIGHT": blend.DIM[1],
        "HIGHLIGHT_FROM": blend.HIGHLIGHT_FROM,
        "HIGHLIGHT_MOST": blend.HIGHLIGHT_MOST,
        "RIM_WHOLE": blend.RIM[0],
        "RIM_NOTHING": blend.RIM[1],
        "FEW": float(blend.FEW),
    }
    luma = ", ".join(repr(float(share)) for share in blend.LUMA)
    return [
        f"const int GRID = {blend.GRID};",
        f"const int BLUR_RADIUS = {blend.RELIGHT_RADIUS};",
        f"const vec3 LUMA = vec3({luma});",
        f"const int RIM_RADIUS = {blend.RIM_RADIUS};",
        _kernel("KERNEL", blend.gaussian(blend.RELIGHT_SIGMA, blend.RELIGHT_RADIUS)),
        _kernel("RIM_KERNEL", blend.gaussian(blend.RIM_SIGMA, blend.RIM_RADIUS)),
        *(f"const float {name} = {float(value)!r};" for name, value in floats.items()),
    ]


def _kernel(name: str, shares: np.ndarray) -> str:
    return f"const float {name}[{len(shares)}] = float[]({', '.join(f'{share:.9f}' for share in shares)});"


def _compiled(kind: int, source: str, label: str) -> int:
    shader = GL.glCreateShader(kind)
    GL.glShaderSource(shader, source)
    GL.glCompileShader(shader)
    if not GL.glGetShaderiv(shader, GL.GL_COMPILE_STATUS):
        reason = told(GL.glGetShaderInfoLog(shader))
        GL.glDeleteShader(shader)
        raise ResourceError(f"shader {label} does not compile: {reason}")
    return shader


def told(raw: object) -> str:
    """What the driver says, in one line."""
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
    return " ".join(text.replace("\0", " ").split())
