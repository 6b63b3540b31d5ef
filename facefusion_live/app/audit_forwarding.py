"""Sending rows to a receiver that gives no receipt: what counts as taken, and what is sent again."""

from collections.abc import Callable
from pathlib import Path

from facefusion_live.adapters.storage.layout import Layout
from facefusion_live.adapters.storage.opening import logs_of
from facefusion_live.adapters.storage.outbox import acknowledge, cursor_of, unsent
from facefusion_live.adapters.storage.syslog import Receiver, SyslogForwarder
from facefusion_live.domain.audit.errors import UnreadableError
from facefusion_live.engine.trail_writer import Notice


def forwarded(layout: Layout, receiver: Receiver, notify: Callable[[Notice], None], *, again: bool = False) -> int:
    """Send every row of every log that a receiver has not taken; give how many were sent.

    What is written meanwhile goes too as far as a batch reaches, and waits for the next call otherwise: a program that
    writes without a pause would have this one go on for ever.

    The cursor lags one connection behind: what went over one is put down as taken when the server has answered the
    next, which carries more rows or none. Whatever ends otherwise, all rows after the cursor are sent again.

    Args:
        layout: Of the home.
        receiver: Where to.
        notify: Told of an outbox that cannot be right.
        again: Send what was taken before, too.

    Raises:
        ForwardError: The receiver cannot be reached, or broke off.
        UnreadableError: A log is damaged; the others have been sent.
    """
    forwarder, sent = SyslogForwarder(receiver), 0
    broken: UnreadableError | None = None
    for path in [path for path, log_id in logs_of(layout) if log_id]:
        try:
            start, last = _start(layout, path, receiver.sink, notify, again=again)
            sent += _sent(layout, path, (forwarder, receiver.sink), start, last)
        except UnreadableError as error:
            broken = broken or error
    if broken is not None:
        raise broken
    return sent


def _sent(layout: Layout, path: Path, way: tuple[SyslogForwarder, str], start: int, last: int) -> int:
    """Send the rows of one log after `start`, up to those that were there when that was asked. Gives how many."""
    (forwarder, sink), sent, after = way, 0, start
    while after < last and (rows := unsent(layout, path, after)):
        reached = forwarder.send(rows)
        if after > start:
            acknowledge(path, sink, after)
        after, sent = reached, sent + len(rows)
    if after > start:
        forwarder.knock()
        acknowledge(path, sink, after)
    return sent


def _start(layout: Layout, path: Path, sink: str, notify: Callable[[Notice], None], *, again: bool) -> tuple[int, int]:
    """The seq after which a receiver is to get all, and that of the last row."""
    cursor = cursor_of(layout, path, sink)
    if cursor.impossible:
        words = f"{path.name} says that {sink} took row {cursor.taken}, and its last row is {cursor.last}"
        notify(Notice("alert", f"{words}: all its rows are sent again.", "outbox"))
    return cursor.first - 1 if again or cursor.impossible else cursor.taken, cursor.last
