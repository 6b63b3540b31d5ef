"""Which panel shows which groups of parameters. Each parameter has exactly one place (a test counts)."""

from facefusion_live.domain.settings import PARAMETERS

LOOK = ("look", "mask")
FACES = ("swap", "track", "detect")
CAMERA = ("capture",)
SAFETY = ("gate", "content", "consent")
OUTPUT = ("record", "sound", "stream", "virtual_camera", "label")
PERFORMANCE = ("budget", "render")
AUDIT = ("audit",)


def paths_of(*groups: str) -> tuple[str, ...]:
    """Every parameter of some groups, in the order of the table."""
    return tuple(path for path, row in PARAMETERS.items() if row.group in groups)


def present(*groups: str) -> tuple[str, ...]:
    """Those of the groups that the table has."""
    return tuple(group for group in groups if paths_of(group))


def elsewhere() -> tuple[str, ...]:
    """Groups that no panel names: a new parameter is never out of reach."""
    placed = {*LOOK, *FACES, *CAMERA, *SAFETY, *OUTPUT, *PERFORMANCE, *AUDIT}
    return tuple(dict.fromkeys(row.group for row in PARAMETERS.values() if row.group not in placed))
