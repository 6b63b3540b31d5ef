# pyright: basic
"""Owner of every OpenGL object: what it made, it deletes."""

from collections import Counter

from facefusion_live.adapters.gpu.library import GL

_MAKERS = {
    "texture": lambda: GL.glGenTextures(1),
    "buffer": lambda: GL.glGenBuffers(1),
    "framebuffer": lambda: GL.glGenFramebuffers(1),
    "vertex array": lambda: GL.glGenVertexArrays(1),
    "program": GL.glCreateProgram,
}
_DELETERS = {
    "texture": lambda name: GL.glDeleteTextures(1, [name]),
    "buffer": lambda name: GL.glDeleteBuffers(1, [name]),
    "framebuffer": lambda name: GL.glDeleteFramebuffers(1, [name]),
    "vertex array": lambda name: GL.glDeleteVertexArrays(1, [name]),
    "program": GL.glDeleteProgram,
}


class Handles:
    """Makes OpenGL objects and remembers them. Thread: the one that has the context.

    Fences are not among them: one is made and deleted for every picture, by whoever waits for it.
    """

    def __init__(self) -> None:
        self._alive: list[tuple[str, int]] = []

    def make(self, kind: str) -> int:
        """A new object: "texture", "buffer", "framebuffer", "vertex array" or "program"."""
        name = int(_MAKERS[kind]())
        self._alive.append((kind, name))
        return name

    @property
    def alive(self) -> Counter[str]:
        """Objects by kind that were not deleted."""
        return Counter(kind for kind, _ in self._alive)

    def close(self) -> None:
        """Delete them all, the newest first."""
        GL.glUseProgram(0)  # a program in use would outlive its deletion
        while self._alive:
            kind, name = self._alive.pop()
            _DELETERS[kind](name)

    def forget(self) -> None:
        """The context is gone, and everything with it."""
        self._alive.clear()
