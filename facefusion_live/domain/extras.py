"""Parts that not every copy of the program has: what whoever misses one can do about it.

An installed wheel takes an extra from pip. The frozen program has no pip and nothing can be added to it, so a command
of pip's is no advice there. This is the one place that tells the two apart.
"""

import sys


def is_frozen() -> bool:
    """Whether this copy is the program in one folder, which needs no Python and takes no packages."""
    return bool(getattr(sys, "frozen", False))


def advice_by_copy(installed: str, frozen: str) -> str:
    """What to do about a missing part.

    Args:
        installed: For whoever installed the wheel, or works in a checkout.
        frozen: For whoever has the program in one folder.
    """
    return frozen if is_frozen() else installed
