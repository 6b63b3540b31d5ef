# pyright: basic
"""Whether this machine draws with OpenGL without a window. Run in a process of its own: drivers crash."""

import os
import sys

from facefusion_live.domain.finding import Finding

_ADVICE = "Install a graphics driver (Debian: libegl1 libgl1-mesa-dri); without one the processor draws."
_SURFACELESS = 0x31DD


def find() -> list[Finding]:
    """Make a context, ask who draws."""
    if not sys.platform.startswith("linux"):
        return [Finding(group="graphics", part="OpenGL", works=None, words="tried in the window on this system")]
    os.environ["PYOPENGL_PLATFORM"] = "egl"
    try:
        renderer, version = _ask()
    except (ImportError, AttributeError, OSError, RuntimeError) as error:
        words = f"no context without a window ({type(error).__name__})"
        return [Finding(group="graphics", part="OpenGL", works=False, words=words, advice=_ADVICE)]
    return [Finding(group="graphics", part="OpenGL", works=True, words=f"{renderer}, {version}")]


def _ask() -> tuple[str, str]:
    from OpenGL import EGL, GL  # noqa: PLC0415 (the platform is chosen before)
    from OpenGL.EGL.EXT.platform_base import eglGetPlatformDisplayEXT  # noqa: PLC0415 (as above)
    from OpenGL.error import Error  # noqa: PLC0415 (as above)

    try:
        display = eglGetPlatformDisplayEXT(_SURFACELESS, None, None)
        major, minor = EGL.EGLint(), EGL.EGLint()
        if not EGL.eglInitialize(display, major, minor):
            raise RuntimeError("no display")
        EGL.eglBindAPI(EGL.EGL_OPENGL_API)
        wanted = (EGL.EGLint * 5)(EGL.EGL_SURFACE_TYPE, 0, EGL.EGL_RENDERABLE_TYPE, EGL.EGL_OPENGL_BIT, EGL.EGL_NONE)
        configs, count = (EGL.EGLConfig * 1)(), EGL.EGLint()
        EGL.eglChooseConfig(display, wanted, configs, 1, count)
        version = (EGL.EGLint * 7)(0x3098, 3, 0x30FB, 3, 0x30FD, 1, EGL.EGL_NONE)
        context = EGL.eglCreateContext(display, configs[0], EGL.EGL_NO_CONTEXT, version)
        if not EGL.eglMakeCurrent(display, EGL.EGL_NO_SURFACE, EGL.EGL_NO_SURFACE, context):
            raise RuntimeError("no context")
        told = tuple(bytes(GL.glGetString(what) or b"").decode() for what in (GL.GL_RENDERER, GL.GL_VERSION))
    except Error as error:
        raise RuntimeError(type(error).__name__) from error
    return told[0], told[1]
