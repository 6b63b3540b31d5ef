"""The commands. Exit codes: 0 done, 2 bad input, 3 failed while running, 130 Ctrl-C."""

import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Annotated, Literal

from cyclopts import App, CycloptsError, Parameter

from facefusion_live import __version__
from facefusion_live.app.environment import Home, load_settings, start_logging
from facefusion_live.cli.bench import bench
from facefusion_live.cli.parameters import take_parameters
from facefusion_live.domain.errors import BadInputError, FaceFusionLiveError
from facefusion_live.domain.parameter import Value
from facefusion_live.domain.settings import Settings

EXIT_DONE, EXIT_BAD_INPUT, EXIT_FAILED, EXIT_INTERRUPTED = 0, 2, 3, 130

log = logging.getLogger("facefusion_live.cli")

ConsentWord = Literal["self", "written", "licensed", "generated", "public-domain"]

app = App(
    name="facefusion-live",
    version=__version__,
    help="Real-time face swapping that fails closed and tells its latency.",
)

app.command(bench)
app.command("facefusion_live.cli.audit:audit", name="audit")

_overrides: dict[str, Value] = {}
"""Parameters of the present command line."""


@app.command
def run(  # noqa: PLR0913 (one argument per flag)
    *,
    source: list[str],
    input: str,  # noqa: A002 (the flag's name)
    output: Path | None = None,
    engine: str = "mesh",
    consent: ConsentWord | None = None,
    frames: int | None = None,
    offline: bool = False,
    frame_states: Path | None = None,
    json: bool = False,
) -> int:
    """Swap the face in a camera, clip or stream. Any setting can be given as --group.parameter VALUE.

    Args:
        source: A portrait, or the name of a built-in avatar. Repeat it for several pictures of one person.
        input: camera:N, camera:NAME, a file, a URL, or synthetic.
        output: Recording: .mp4 (H.264) or .mkv (lossless).
        engine: What makes the swap.
        consent: Why the source face may be used.
        frames: Stop after so many frames.
        offline: Take every frame, in order, as fast as it goes, instead of live.
        frame_states: Write one line per emitted frame here: index, state, index of the captured frame.
        json: Print one JSON object at the end.
    """
    from facefusion_live.cli import live  # noqa: PLC0415 (keeps --help quick, and free of cv2)

    if frames is not None and frames < 1:
        raise BadInputError(f"--frames {frames} is not allowed", advice="Give 1 or more.")
    return live.run(
        live.request(
            sources=source,
            consent=consent,
            input_spec=input,
            output=output,
            states=frame_states,
            engine=engine,
            settings=_settings(),
            offline=offline,
            frame_limit=frames,
        ),
        json_wanted=json,
    )


@app.command
def demo(
    *,
    output: Path = Path("facefusion-live-demo.mp4"),
    source: str = "ada",
    seconds: Annotated[float, Parameter(help="Length of the demo.")] = 8.0,
    json: bool = False,
) -> int:
    """Swap a built-in avatar into the built-in clip, live, and write an mp4.

    Args:
        output: Where the mp4 goes.
        source: Name of the avatar.
        seconds: Length of the demo.
        json: Print one JSON object at the end.
    """
    from facefusion_live.cli import live  # noqa: PLC0415 (as in run)

    if not 0.1 <= seconds <= 3600:
        raise BadInputError(f"--seconds {seconds:g} is not allowed", advice="Give 0.1 to 3600.")
    return live.run(
        live.request(
            sources=[source],
            consent=None,
            input_spec="synthetic",
            output=output,
            states=None,
            engine="mesh",
            settings=_settings(),
            offline=False,
            frame_limit=round(seconds * 30),
        ),
        json_wanted=json,
    )


@app.command
def cameras(*, json: bool = False) -> int:
    """List the cameras of this machine.

    Args:
        json: Print one JSON object.
    """
    from facefusion_live.cli import listing  # noqa: PLC0415 (as in run)

    return listing.cameras(json_wanted=json)


@app.command
def settings() -> int:
    """List every parameter: its flag, value, range and meaning."""
    from facefusion_live.cli import listing  # noqa: PLC0415 (as in run)

    return listing.settings(_settings())


@app.default
def window() -> int:
    """Open the window. It is not part of this release: the commands do everything."""
    app.help_print([])
    return EXIT_DONE


def run_command_line(words: Sequence[str]) -> int:
    """Run one command line.

    Returns:
        The exit code.
    """
    start_logging(Home.from_environment())
    signal.signal(signal.SIGTERM, _terminated)
    try:
        rest = _take_overrides(words)
        result = app(rest, exit_on_error=False, print_error=False, result_action="return_value")
        return result if isinstance(result, int) else EXIT_DONE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except CycloptsError as error:
        return _complain(str(error).splitlines()[0], "See facefusion-live --help.", EXIT_BAD_INPUT)
    except BadInputError as error:
        return _complain(str(error), error.advice, EXIT_BAD_INPUT)
    except FaceFusionLiveError as error:
        log.error("failed: %s", error)  # noqa: TRY400 (expected: the words are enough)
        return _complain(str(error), error.advice, EXIT_FAILED)
    except Exception as error:
        log.exception("unexpected")
        message = f"something went wrong that should not ({type(error).__name__})"
        return _complain(message, f"Please report it, with {Home.from_environment().log_file}.", EXIT_FAILED)


def _take_overrides(words: Sequence[str]) -> list[str]:
    """Note the parameters of a command line; returns the other words."""
    rest, values = take_parameters(words)
    if values and rest[:1] == ["bench"]:
        raise BadInputError("bench takes no parameters", advice="Its jobs are fixed, so that figures compare.")
    _overrides.clear()
    _overrides.update(values)
    return rest


def _settings() -> Settings:
    return load_settings(Home.from_environment().settings_file).with_values(_overrides)


def _complain(message: str, advice: str, code: int) -> int:
    print(f"facefusion-live: {message}. {advice}".rstrip(), file=sys.stderr)  # noqa: T201 (the user's one line)
    return code


def _terminated(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
