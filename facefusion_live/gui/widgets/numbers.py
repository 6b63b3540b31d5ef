"""Numbers as people read them."""

_UNITS = ("B", "kB", "MB", "GB", "TB")


def clock(seconds: float) -> str:
    """0:05, 12:34, 1:02:03."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def size(count: int) -> str:
    """512 B, 1.5 MB, 20 GB."""
    number, unit = float(count), _UNITS[0]
    for unit in _UNITS:
        if number < 1000 or unit == _UNITS[-1]:
            break
        number /= 1000
    return f"{number:.0f} {unit}" if number >= 100 or unit == _UNITS[0] else f"{number:.1f} {unit}"


def milliseconds(number: float) -> str:
    """0.34, 4.2, 132."""
    return f"{number:.2f}" if number < 1 else f"{number:.1f}" if number < 100 else f"{number:.0f}"
