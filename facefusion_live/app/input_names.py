"""What inputs are called where people can see it."""

from pathlib import Path


def spoken(spec: str) -> str:
    """An input for people: a file by its name, an address without what may be secret in it.

    Args:
        spec: As on the command line: "camera:0", a path, an address, "synthetic".
    """
    scheme, separator, rest = spec.partition("://")
    if separator:
        # Keys of streams stand in the path or behind it, passwords before the host.
        return f"{scheme}://{rest.partition('?')[0].rpartition('@')[2].partition('/')[0]}"
    kind, separator, which = spec.partition(":")
    if kind == "camera" and separator:
        return spec if which.isdecimal() else which
    return Path(spec).name or spec
