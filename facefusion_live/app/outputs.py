"""Before anything is opened: no output may destroy an input, another output, or what cannot be written anyway."""

from collections.abc import Sequence
from pathlib import Path

from facefusion_live.domain.errors import SinkOpenError


def check_outputs(outputs: Sequence[Path], inputs: Sequence[Path]) -> None:
    """Refuse outputs that would do harm. Nothing is changed on the disk.

    Args:
        outputs: Files to be written.
        inputs: Files that are read: source pictures, the clip, the slate picture.

    Raises:
        SinkOpenError: Two of them are one file, or an output cannot be written.
    """
    for index, output in enumerate(outputs):
        if any(_same(output, other) for other in inputs):
            raise SinkOpenError(f"{output.name} is read and written", advice="Give the output another name.")
        if any(_same(output, other) for other in outputs[:index]):
            raise SinkOpenError(f"{output.name} is written twice", advice="Give each output a name of its own.")
        _check_writable(output)


def _same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve() or (one.exists() and other.exists() and one.samefile(other))


def _check_writable(output: Path) -> None:
    there = output.exists()
    try:
        with output.open("ab"):  # appending leaves an earlier file as it is
            pass
    except OSError as error:
        reason = error.strerror or type(error).__name__
        advice = "Give a file in a folder that exists and that you may write to."
        raise SinkOpenError(f"{output.name} cannot be written ({reason})", advice=advice) from error
    if not there:
        output.unlink()
