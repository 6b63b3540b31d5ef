"""`run` and `demo`: a session from the first frame to the report."""

import dataclasses
import json
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from facefusion_live import __version__
from facefusion_live.app import wiring
from facefusion_live.app.disclosure import Disclosure
from facefusion_live.app.engines import BUILT_IN_ENGINE
from facefusion_live.app.environment import user_path
from facefusion_live.app.on_air import SHOWN_AGAIN
from facefusion_live.app.on_record import started_session
from facefusion_live.app.portraits import avatars, consent_of
from facefusion_live.app.resources import ResourceWatch
from facefusion_live.app.running import frames_expected, watch
from facefusion_live.domain.content import Scene
from facefusion_live.domain.disclosure import Part
from facefusion_live.domain.errors import BadInputError, FaceFusionLiveError
from facefusion_live.domain.ports import SinkState, SinkStatus
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.content import PROBLEMS, ContentReading
from facefusion_live.engine.governing import ALL_MADE, Eased
from facefusion_live.engine.pipeline import REMOTE
from facefusion_live.engine.report import SessionReport

_POLL_S = 0.1


def request(  # noqa: PLR0913 (one argument per flag)
    *,
    sources: Sequence[str],
    consent: str | None,
    input_spec: str,
    output: Path | None,
    states: Path | None,
    engine: str,
    settings: Settings,
    offline: bool,
    frame_limit: int | None,
    sinks: Sequence[str] = (),
    snapshot: Path | None = None,
) -> wiring.Request:
    """A request from what the command line says.

    Raises:
        BadInputError: No such consent, or a path of a user who does not exist.
    """
    user_path(input_spec)  # the capture thread would say it too late
    return wiring.Request(
        sources=tuple(sources),
        consent=consent_of(consent),
        input=input_spec,
        output=output,
        states=states,
        engine=engine,
        settings=settings,
        offline=offline,
        frame_limit=frame_limit,
        sinks=tuple(sinks),
        snapshot=snapshot,
    )


def avatar(name: str) -> str:
    """The picture of a built-in avatar.

    Raises:
        BadInputError: There is none of that name.
    """
    known = avatars()
    if name not in known:
        raise BadInputError(f"there is no avatar {name!r}", advice=f"Avatars: {', '.join(known)}.")
    return str(known[name])


def run(wanted: wiring.Request, *, json_wanted: bool) -> int:
    """Run a session to its end, tell what happened.

    Returns:
        0.

    Raises:
        FaceFusionLiveError: It could not start, or broke while running.
        KeyboardInterrupt: The user stopped it; files are closed.
    """
    resources = ResourceWatch(wiring.SystemClock(), wanted.output, realtime=not wanted.offline)
    problem: FaceFusionLiveError | None = None
    opened: wiring.OpenSession | None = None
    try:
        with started_session(wanted, lambda words: _say(f"facefusion-live: {words}")) as opened:
            session = opened.session
            for page in opened.pages:
                _say(f"facefusion-live: watch at {page}")
            with _progress(frames_expected(session.format, wanted.frame_limit)) as show:
                problem = watch(session, lambda: _poll(opened, show, resources))
    finally:
        if opened is not None:
            report = opened.session.report()
            with suppress(BrokenPipeError):  # nobody reads it: how it ended still counts
                if json_wanted:
                    print(json.dumps(_summary(report, opened, resources)))  # noqa: T201 (what was asked for)
                else:
                    _tell_provider(opened)
                    _tell(report, (*opened.recordings, *filter(None, [wanted.snapshot])))
                    if opened.consent_problem():
                        print(f"Slate from then on: {opened.consent_problem()}.")  # noqa: T201
    if problem is not None:
        raise problem
    return 0


def _poll(opened: wiring.OpenSession, show: "_Show", resources: ResourceWatch) -> None:
    report = opened.session.report(resources.newest)
    show(report.frames_out)
    for line in (*show.changes(report.outputs), *show.scene(report.content), *show.eased(report.governor)):
        show.line(f"facefusion-live: {line}.")
    for problem in show.unsaid([each for each in [opened.consent_problem()] if each]):
        show.line(f"facefusion-live: {problem}: the slate goes out.")
    for warning in show.unsaid((*resources.poll(report), *report.warnings, *_ended(report))):
        show.line(f"facefusion-live: {warning}.")


def _ended(report: SessionReport) -> list[str]:
    """Outputs that ended while others go on; what ends the session is told at its end."""
    if len(report.outputs) <= len(report.sink_errors):
        return []
    return [f"an output ended: {error}" for error in report.sink_errors.values()]


class _Show:
    """Shows how far the session is, on a terminal."""

    def __init__(self, progress: Progress | None, total: int | None) -> None:
        self._progress = progress
        self._task = None if progress is None else progress.add_task("frames", total=total)
        self._last_s = 0.0
        self._said: set[str] = set()
        self._away: set[str] = set()
        self._missing: dict[str, str] = {}
        self._withheld = 0
        self._problem = ""
        self._left_out: tuple[str, ...] = ()

    def eased(self, governor: Eased) -> list[str]:
        """What is left out from now on while the machine does not keep up, and that all is made again."""
        before, self._left_out = self._left_out, governor.left_out
        if self._left_out == before:
            return []
        return [f"{governor.why}: {', '.join(self._left_out)}" if self._left_out else ALL_MADE]

    def scene(self, content: ContentReading) -> list[str]:
        """That the scene is withheld, why, and that it is shown again; too short ones are told, too."""
        before, self._problem = self._problem, content.problem
        more, self._withheld = content.withheld > self._withheld, content.withheld
        if content.problem and (more or content.problem != before):
            return [f"{content.problem}: the slate goes out"]
        told = [f"{PROBLEMS[Scene.NUDE]} for a moment: the slate went out"] if more and not before else []
        return [*told, SHOWN_AGAIN] if before and not content.problem else told

    def changes(self, outputs: Mapping[str, SinkStatus]) -> list[str]:
        """Outputs that lost their other side or something else that they should have, or have it again."""
        before, self._missing = self._missing, {name: status.missing for name, status in outputs.items()}
        told = [
            f"{name}: {missing}" if missing else f"{name}: complete again"
            for name, missing in self._missing.items()
            if missing != before.get(name, "") and outputs[name].state is not SinkState.CLOSED
        ]
        return [*told, *self._changed_sides(outputs)]

    def _changed_sides(self, outputs: Mapping[str, SinkStatus]) -> list[str]:
        away = {name for name, status in outputs.items() if status.state is SinkState.RECONNECTING}
        well = {name for name, status in outputs.items() if status.state in (SinkState.RUNNING, SinkState.PAUSED)}
        back = self._away & well
        lost = sorted(away - self._away)
        self._away = (self._away | away) - back
        told = [f"{name}: lost; it is looked for again" for name in lost]
        return [*told, *(f"{name}: back" for name in sorted(back))]

    def unsaid(self, warnings: Sequence[str]) -> list[str]:
        """Those that were not told yet."""
        new = [warning for warning in warnings if warning not in self._said]
        self._said.update(new)
        return new

    def __call__(self, frames: int) -> None:
        if self._progress is not None and self._task is not None and time.monotonic() - self._last_s > _POLL_S:
            self._progress.update(self._task, completed=frames)
            self._last_s = time.monotonic()

    def line(self, text: str) -> None:
        """A line on stderr, above the bar where there is one."""
        if self._progress is not None:
            self._progress.console.print(text, highlight=False)
        else:
            _say(text)


def _say(text: str) -> None:
    """A line on stderr. Where nobody can read it the session goes on all the same."""
    with suppress(OSError):
        print(text, file=sys.stderr)  # noqa: T201 (the user's line)


@contextmanager
def _progress(total: int | None) -> Generator["_Show"]:
    if not sys.stderr.isatty():
        yield _Show(None, total)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield _Show(progress, total)


def _summary(report: SessionReport, opened: wiring.OpenSession, resources: ResourceWatch) -> dict[str, Any]:
    return {
        "frames_in": report.frames_in,
        "frames_out": report.frames_out,
        "dropped": report.dropped,
        "state_frames": report.state_frames,
        "faults": report.faults,
        "failed": report.failed,
        "covered_min": report.covered_min,
        "leaks": report.leaks,
        "latency_ms": {stage: times._asdict() for stage, times in report.latency_ms.items()},
        "fps": report.fps,
        "losses": report.losses,
        "silences": report.silences,
        "warnings": [*resources.warnings, *report.warnings],
        "resources": resources.summary(),
        "outputs": {name: _status(status) for name, status in report.outputs.items()},
        "disclosure": _disclosed(opened.disclosure),
        "content": _judged(report.content),
        "governor": dataclasses.asdict(report.governor),
        "consent": {"problem": opened.consent_problem()},
        "backend": report.backend.name,
        "backend_reason": report.backend.reason,
        "engine": opened.swapper.name,
        "provider": opened.swapper.provider,
        "providers_skipped": opened.skipped(),
        "served": [dict(served) for served in opened.served()],
        "version": __version__,
    }


def _disclosed(disclosure: Disclosure) -> dict[str, Any]:
    """What pictures said of themselves. The payload is that of the mark, in hex."""
    told: dict[str, Any] = {part.value: part not in disclosure.left_out for part in Part}
    return told | {"payload": f"{disclosure.payload:06x}", "reason": disclosure.reason}


def _judged(content: ContentReading) -> dict[str, Any]:
    """How scenes were judged; `scene` is the last one's, null where nobody looked."""
    scene = None if content.scene is None else content.scene.value
    counted = {"looks": content.looks, "withheld": content.withheld, "nudest": content.nudest}
    return {"scene": scene, "problem": content.problem, **counted}


def _status(status: SinkStatus) -> dict[str, Any]:
    return dataclasses.asdict(status) | {"state": status.state.value}


def _tell_provider(opened: wiring.OpenSession) -> None:
    """What runs the engine, asked from it; said only where a net does, and with what was tried before."""
    if opened.swapper.name != BUILT_IN_ENGINE:
        why = "; ".join(f"not {name}: {reason}" for name, reason in opened.skipped().items())
        print(f"{opened.swapper.name} ran on {opened.swapper.provider}{f' ({why})' if why else ''}.")  # noqa: T201


def _tell(report: SessionReport, written: Sequence[Path]) -> None:
    states = ", ".join(f"{count} {state}" for state, count in report.state_frames.items() if count)
    print(f"{report.frames_out} frames at {report.fps:g}/s: {states or 'none'}.")  # noqa: T201
    end_to_end = report.latency_ms.get("capture_to_emit")
    if end_to_end is not None:
        print(f"Capture to emit: {end_to_end.p50:.0f} ms, 95 % within {end_to_end.p95:.0f} ms.")  # noqa: T201
    remote = report.latency_ms.get(REMOTE)
    if remote is not None:
        print(f"Waited for the server: {remote.p50:.0f} ms a frame, 95 % within {remote.p95:.0f} ms.")  # noqa: T201
    if report.content.withheld:
        print(f"Withheld {report.content.withheld} scenes: the net took them for nude, or could not judge.")  # noqa: T201
    print(f"Composed by {report.backend.name}: {report.backend.reason}.")  # noqa: T201
    for path in written:
        if path.exists():
            print(f"Written: {path.resolve()}")  # noqa: T201
