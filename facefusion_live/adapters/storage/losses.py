# pyright: basic
"""Losses that no log could be told of when a program ended, kept for the next start, as `domain.audit.ports.LossBook`.

One small file for all programs of a home. It has its full length from the first good day on: changing its bytes in
place needs no space, so a full disk takes them.
"""

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import orjson

from facefusion_live.adapters.storage.layout import Layout, is_file, write_private_once
from facefusion_live.adapters.storage.lock import lock_patiently
from facefusion_live.domain.audit.event import ACTIONS
from facefusion_live.domain.audit.flood import Loss, Tally, merged
from facefusion_live.domain.audit.ports import TellLoss

log = logging.getLogger("facefusion_live.audit")

_BYTES = 4096
"""More than counts of all actions that there are."""
_EMPTY = b"[]".ljust(_BYTES)


class FileLossBook:
    """Thread: any.

    Args:
        layout: The home's audit folder.
    """

    def __init__(self, layout: Layout) -> None:
        self._path: Path = layout.losses

    def keep(self, losses: Sequence[Loss]) -> bool:
        """Keep losses beside those that are there. False when the disk does not take them."""
        try:
            with self._held() as handle:
                _write(handle, merged([*_read(handle), *losses]))
        except OSError as error:
            log.error("what was lost cannot be kept for the next start: %s", error)  # noqa: TRY400 (expected)
            return False
        return True

    def settle(self, tell: TellLoss) -> None:
        """Hand each kept loss to `tell`, and forget those that it took; no other program is told of them meanwhile."""
        with suppress(OSError), self._held() as handle:
            if kept := _read(handle):
                _write(handle, [loss for loss in kept if not tell(loss)])

    @contextmanager
    def _held(self) -> Iterator[int]:
        if not is_file(self._path):
            write_private_once(self._path, _EMPTY)
        handle = os.open(self._path, os.O_RDWR)
        try:
            lock_patiently(handle)
            yield handle
        finally:
            os.close(handle)


def _read(handle: int) -> list[Loss]:
    """What is kept; a file in which somebody else wrote holds nothing."""
    os.lseek(handle, 0, os.SEEK_SET)
    try:
        return [_loss(each) for each in orjson.loads(os.read(handle, _BYTES) or b"[]")]
    except (ValueError, KeyError, TypeError, AttributeError):
        log.warning("the account of what was lost is damaged")
        return []


def _write(handle: int, losses: Sequence[Loss]) -> None:
    told = [{"action": loss.action, "counts": loss.tally.counts, "digest": loss.tally.digest} for loss in losses]
    data = orjson.dumps(told).ljust(_BYTES)
    os.lseek(handle, 0, os.SEEK_SET)
    if os.write(handle, data) != len(data):
        raise OSError("the disk took only a part of the account")
    os.fsync(handle)


def _loss(told: dict[str, Any]) -> Loss:
    counts = {action: count for action, count in told["counts"].items() if action in ACTIONS and type(count) is int}
    if not counts or min(counts.values()) < 1 or len(bytes.fromhex(told["digest"])) != 32:
        raise ValueError
    return Loss(str(told["action"]), Tally(counts, told["digest"]))
