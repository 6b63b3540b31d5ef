"""The commands. Exit codes: 0 done, 2 bad input, 3 failed while running, 130 Ctrl-C, 141 nobody read to the end."""

import errno
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Literal, Protocol, TextIO

from cyclopts import App, CycloptsError, Parameter

from facefusion_live import __version__
from facefusion_live.app.environment import Home, load_settings, start_logging
from facefusion_live.app.second_person import SWITCH, SecondPerson
from facefusion_live.cli.bench import bench
from facefusion_live.cli.parameters import take_parameters
from facefusion_live.cli.wording import in_our_words
from facefusion_live.domain import face_map
from facefusion_live.domain.errors import BadInputError, FaceFusionLiveError
from facefusion_live.domain.parameter import Value
from facefusion_live.domain.settings import Settings

EXIT_DONE, EXIT_BAD_INPUT, EXIT_FAILED, EXIT_INTERRUPTED, EXIT_UNREAD = 0, 2, 3, 130, 141

log = logging.getLogger("facefusion_live.cli")

ConsentWord = Literal["self", "written", "licensed", "generated", "public-domain"]

app = App(
    name="facefusion-live",
    version=__version__,
    help="Real-time face swapping that fails closed and tells its latency.",
    suppress_keyboard_interrupt=False,
)

app.command(bench)
app.command("facefusion_live.cli.audit:audit", name="audit")
app.command("facefusion_live.cli.consent:consent", name="consent")
app.command("facefusion_live.cli.mark:mark", name="mark")
app.command("facefusion_live.cli.provenance:provenance", name="provenance")
app.command("facefusion_live.cli.models:models", name="models")
app.command("facefusion_live.cli.people:people", name="people")

# Other users of a machine see each other's command lines; an environment they do not.
Sinks = Annotated[list[str] | None, Parameter(env_var="FACEFUSION_LIVE_SINK")]

_overrides: dict[str, Value] = {}
"""Parameters of the present command line."""


class Window(Protocol):
    """What opens a window, where the program has one."""

    def check_screen(self) -> None:
        """See whether there can be one.

        Raises:
            BadInputError: There cannot.
        """
        ...

    def open_window(
        self,
        values: Mapping[str, Value],
        *,
        source: str | None = None,
        input_spec: str | None = None,
        start: bool = False,
    ) -> int:
        """Open it and stay until it is closed; returns the exit code.

        Raises:
            BadInputError: It cannot be opened, or not with these parameters.
        """
        ...


_windows: list[Window] = []
"""What opens a window in this process: one, or none where only commands are wanted."""


@app.command
def run(  # noqa: PLR0913 (one argument per flag)
    *,
    source: list[str] | None = None,
    input: str,  # noqa: A002 (the flag's name)
    output: Path | None = None,
    sink: Sinks = None,
    engine: str = "mesh",
    consent: ConsentWord | None = None,
    frames: int | None = None,
    offline: bool = False,
    frame_states: Path | None = None,
    snapshot: Path | None = None,
    map: list[str] | None = None,  # noqa: A002 (the flag's name)
    json: bool = False,
) -> int:
    """Swap the face in a camera, clip or stream. Any setting can be given as --group.parameter VALUE.

    Args:
        source: A portrait, or the name of a built-in avatar. Repeat it for several pictures of one person. An engine
            that was trained on one person brings the face along, and takes none.
        input: camera:N, camera:NAME, a file, a URL, or synthetic.
        output: Recording: .mp4 (H.264) or .mkv (lossless).
        sink: A further output, such as virtual-camera or rtmp://HOST/APP/KEY. Repeat it for several.
        engine: What makes the swap.
        consent: Why the source face may be used, or that of a model of one person.
        frames: Stop after so many frames.
        offline: Take every frame, in order, as fast as it goes, instead of live.
        frame_states: Write one line per emitted frame here: index, state, index of the captured frame.
        snapshot: Write the last picture that went out here: .png or .jpg.
        map: NAME=FACE: a person enrolled gets a face of their own, an avatar's or a portrait's. Repeat it for several.
        json: Print one JSON object at the end.
    """
    from facefusion_live.cli import live  # noqa: PLC0415 (keeps --help quick, and free of cv2)

    if frames is not None and frames < 1:
        raise BadInputError(f"--frames {frames} is not allowed", advice="Give 1 or more.")
    return live.run(
        live.request(
            sources=source or (),
            consent=consent,
            input_spec=input,
            output=output,
            states=frame_states,
            engine=engine,
            settings=_mapped(_settings(), map or ()),
            offline=offline,
            frame_limit=frames,
            sinks=sink or (),
            snapshot=snapshot,
        ),
        json_wanted=json,
    )


@app.command
def demo(
    *,
    output: Path | None = None,
    source: str = "ada",
    sink: Sinks = None,
    seconds: Annotated[float, Parameter(help="Length of the demo.")] = 8.0,
    json: bool = False,
) -> int:
    """Swap a built-in avatar into the built-in clip, live: in a window, or into an mp4 where there is no screen.

    Args:
        output: Write the mp4 here, and open no window.
        source: Name of a built-in avatar.
        sink: A further output, as in run. Repeat it for several.
        seconds: Length of the demo.
        json: Print one JSON object at the end.
    """
    from facefusion_live.cli import live  # noqa: PLC0415 (as in run)

    if not 0.1 <= seconds <= 3600:
        raise BadInputError(f"--seconds {seconds:g} is not allowed", advice="Give 0.1 to 3600.")
    picture = live.avatar(source)
    if output is None and not json and not sink and _can_open_window():
        return _windows[0].open_window(_overrides, source=source, input_spec="synthetic", start=True)
    return live.run(
        live.request(
            sources=[picture],
            consent=None,
            input_spec="synthetic",
            output=output or Path("facefusion-live-demo.mp4"),
            states=None,
            engine="mesh",
            settings=_settings(),
            offline=False,
            frame_limit=round(seconds * 30),
            sinks=sink or (),
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
def doctor(*, json: bool = False, probe: Annotated[str, Parameter(show=False)] = "") -> int:
    """Try every output, encoder, camera and the rest of this machine, and tell what works and what to do.

    Args:
        json: Print one JSON object.
        probe: Try this one only, in this process.
    """
    from facefusion_live.cli import doctor as trying  # noqa: PLC0415 (as in run)

    return trying.probe(probe) if probe else trying.run(json_wanted=json)


@app.command
def settings() -> int:
    """List every parameter: its flag, value, range and meaning."""
    from facefusion_live.cli import listing  # noqa: PLC0415 (as in run)

    return listing.settings(_settings())


@app.default
def window() -> int:
    """Open the window."""
    if not _windows:
        app.help_print([])
        return EXIT_DONE
    return _windows[0].open_window(_overrides)


def _can_open_window() -> bool:
    try:
        for opener in _windows:
            opener.check_screen()
    except BadInputError as error:
        # Without a screen the file is what is wanted; a screen that cannot be used is told.
        if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
            _complain(str(error), error.advice, EXIT_DONE)
        return False
    return bool(_windows)


def run_command_line(words: Sequence[str], opener: Window | None = None) -> int:
    """Run one command line.

    Args:
        words: Without the program's name.
        opener: Opens the window; without it there are only commands.

    Returns:
        The exit code.
    """
    _windows[:] = [] if opener is None else [opener]
    code = _command(words)
    # Here, not when Python ends: then it is too late to say it in our words.
    unwritten = _unwritten(sys.stdout)
    if unwritten is not None and code == EXIT_DONE:
        code = _complain(f"the output cannot be written: {unwritten}", "Make room, or write it elsewhere.", EXIT_FAILED)
    _unwritten(sys.stderr)
    return code


def _command(words: Sequence[str]) -> int:
    try:
        start_logging(Home.from_environment())
        rest = _take_overrides(words)
        result = app(rest, exit_on_error=False, print_error=False, result_action="return_value")
        return result if isinstance(result, int) else EXIT_DONE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except (BrokenPipeError, SystemExit):  # rich turns the first into the second
        return EXIT_UNREAD  # not 0: a verification that found something may be what was cut short
    except CycloptsError as error:
        return _complain(*in_our_words(error, [name for name in app if not name.startswith("-")]), EXIT_BAD_INPUT)
    except FaceFusionLiveError as error:
        asked_wrongly = isinstance(error, BadInputError)
        if not asked_wrongly:
            log.error("failed: %s", error)  # noqa: TRY400 (expected: the words are enough)
        return _complain(str(error), error.advice, EXIT_BAD_INPUT if asked_wrongly else EXIT_FAILED)
    except Exception as error:
        log.exception("unexpected")
        return _unexpected(error)


def _unexpected(error: Exception) -> int:
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return _complain("there is no space left", "Make room, or write elsewhere.", EXIT_FAILED)
    message = f"something went wrong that should not ({type(error).__name__})"
    return _complain(message, f"Please report it, with {Home.from_environment().log_file}.", EXIT_FAILED)


def _unwritten(stream: TextIO) -> str | None:
    """Write out what a stream still holds; what cannot be written is dropped.

    Returns:
        Why something could not be written; None where all was, or where nobody reads any more.
    """
    try:
        stream.flush()
    except OSError as error:
        with suppress(OSError, ValueError):
            # As Python's documentation advises: else Python tries again at the very end, and complains.
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, stream.fileno())
            os.close(nothing)
        return None if isinstance(error, BrokenPipeError) else os.strerror(error.errno or errno.EIO)
    return None


def _take_overrides(words: Sequence[str]) -> list[str]:
    """Note the parameters of a command line; returns the other words."""
    rest, values = take_parameters(words)
    if values and rest[:1] == ["bench"]:
        raise BadInputError("bench takes no parameters", advice="Its jobs are fixed, so that figures compare.")
    if SWITCH in values:
        SecondPerson(Home.from_environment()).refuse_off(values)
    _overrides.clear()
    _overrides.update(values)
    return rest


def _mapped(settings: Settings, pairs: Sequence[str]) -> Settings:
    """With faces of their own for people enrolled, over those that the settings map."""
    both = face_map.parse(settings.swap.map) | face_map.parse(",".join(pairs))
    return settings.with_values({"swap.map": face_map.written(both)})


def _settings() -> Settings:
    return load_settings(Home.from_environment().settings_file).with_values(_overrides)


def _complain(message: str, advice: str, code: int) -> int:
    with suppress(OSError):
        print(f"facefusion-live: {message}. {advice}".rstrip(), file=sys.stderr)  # noqa: T201 (the user's one line)
    return code
