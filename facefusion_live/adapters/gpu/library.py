# pyright: basic
"""PyOpenGL, set up in the one way that serves all of the program.

Whoever calls OpenGL takes `GL` from here: flags must be set before its first import, and on Linux its platform must be
the one that serves contexts with and without a display.

Raises:
    ImportError: There is no OpenGL on this machine.
"""

import os
import sys

DEBUG_VARIABLE = "FACEFUSION_LIVE_GL_DEBUG"
"""Set to 1, every call asks OpenGL for errors and raises them at once. Tests do; live each call would cost two."""

if sys.platform.startswith("linux"):
    os.environ.setdefault("PYOPENGL_PLATFORM", "egl")

import OpenGL  # noqa: E402 (after the platform was chosen)

OpenGL.ERROR_CHECKING = os.environ.get(DEBUG_VARIABLE) == "1"
OpenGL.ERROR_LOGGING = False

try:
    from OpenGL import GL
except (AttributeError, OSError, TypeError) as error:  # what PyOpenGL raises where a library is missing
    raise ImportError("the OpenGL library cannot be loaded") from error
from OpenGL.error import Error as GLCallError  # noqa: E402 (as above)

__all__ = ["GL", "GLCallError", "raise_errors"]

_MOST_ERRORS = 8
"""Without a context some drivers answer the question for errors with an error, for ever."""


def raise_errors() -> None:
    """Ask for the errors of all calls so far.

    Raises:
        GLCallError: There were some.
    """
    codes = []
    while len(codes) < _MOST_ERRORS and (code := GL.glGetError()):
        codes.append(f"{int(code):#06x}")
    if codes:
        raise GLCallError(f"OpenGL reports {', '.join(codes)}")
