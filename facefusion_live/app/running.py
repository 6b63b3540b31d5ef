"""Waiting for a session: how far it is, and what ended it."""

from collections.abc import Callable

from facefusion_live.domain.errors import CaptureError, FaceFusionLiveError, SinkError
from facefusion_live.domain.ports import SinkState, SinkStatus
from facefusion_live.engine.capturing import Format
from facefusion_live.engine.session import LiveSession

_POLL_S = 0.1

Progress = Callable[[int, int | None], None]
"""(frames so far, frames in all, where that is known)."""


def frames_expected(form: Format, frame_limit: int | None) -> int | None:
    """How many frames there will be; None when nobody knows."""
    return min((count for count in (form.frame_count, frame_limit) if count is not None), default=None)


def watch(session: LiveSession, on_poll: Callable[[], None]) -> FaceFusionLiveError | None:
    """Wait for the end of a started session; it ends when its last output that shows pictures breaks.

    Args:
        session: Started; the caller stops it.
        on_poll: Called ten times a second, and once at the end.

    Returns:
        What broke, or None.
    """
    while not session.wait(_POLL_S):
        on_poll()
        if session.failed_sinks and not _of_use(session.outputs):
            break
    on_poll()
    for error in session.failed_sinks.values():
        return error if isinstance(error, FaceFusionLiveError) else SinkError(f"an output failed: {error}")
    ended = session.input_error
    if ended is not None:
        return ended if isinstance(ended, FaceFusionLiveError) else CaptureError(f"the input failed: {ended}")
    return None


def _of_use(outputs: dict[str, SinkStatus]) -> bool:
    """Whether a picture still goes anywhere; a list of states is none."""
    return any(
        name != "frame-states" and status.state not in (SinkState.FAILED, SinkState.CLOSED)
        for name, status in outputs.items()
    )
