"""Alert rules that run on the machine itself: what a person should hear of while it happens."""

from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from facefusion_live.domain.audit.canonical import Codec
from facefusion_live.domain.audit.event import UNLOCK, Row

WINDOW_NS = 60_000_000_000
MANY = 10
"""More than so many in a minute are too many."""
UNLOCK_TRIES = 3


@dataclass(frozen=True, slots=True)
class Alert:
    """Something a person should look at.

    Attributes:
        rule: A word for programs: "many_exports".
        message: A sentence for people.
    """

    rule: str
    message: str


NEWS = {
    "rolled_back": Alert("rolled_back", "The audit log is shorter than it was: it was rolled back. A new log begins."),
    "replaced": Alert("replaced", "The audit log's file was deleted or replaced. A new log begins."),
    "key_lost": Alert("key_lost", "The audit log's key is gone. A new log begins."),
    "unclean_end": Alert(
        "unclean_end",
        "Unclean end: the last session was killed, or the machine went down. Its last moment may not be on record.",
    ),
    "newer": Alert(
        "newer",
        "A newer version of this program wrote the audit log. It is left as it is; rows go into a log of their own.",
    ),
    "damaged": Alert("damaged", "The audit log's file is damaged. It is kept aside, and a new log begins."),
}
"""What a store may report on opening."""


FAULTS = {
    "daily_files": Alert(
        "daily_files", "The audit log's daily files cannot be written. Its rows are kept, and the files follow."
    ),
    "archive": Alert("not_archived", "Old audit rows were not archived, and none was deleted."),
}
"""What may fail beside the log."""


class AlertRules:
    """Watches stored rows. Thread: one."""

    def __init__(self) -> None:
        self._recent: dict[tuple[str, str], deque[int]] = {}
        self._failed_unlocks = 0

    def remember(self, rows: Iterable[Row], boot_id: str, codec: Codec) -> None:
        """Take in rows of earlier starts without a word: ten commands are as many exports as one session's ten.

        Args:
            rows: In order.
            boot_id: Of this boot: the monotonic time of rows from another one means nothing here.
            codec: Reads them.
        """
        for row in rows:
            # A row that is none is for verification to find; rows of today must be kept all the same.
            with suppress(ValueError, KeyError, TypeError, AttributeError):
                event: dict[str, Any] = codec.decode(row.body)
                if event["boot_id"] == boot_id:
                    metadata = event["metadata"]
                    who, status, mono_ns = event["user_id"], event["status"], event["mono_ns"]
                    self.observe(event["action"], who, status, metadata, mono_ns, event.get("target", ""))

    def observe(
        self, action: str, user: str, status: str, metadata: Mapping[str, Any], mono_ns: int, target: str = ""
    ) -> list[Alert]:
        """Take in one row; give what it calls for. A rule speaks once for each time that its limit is crossed."""
        if metadata.get("phase") == "end":  # the second row of one and the same act
            return []
        found: list[Alert] = []
        if action == "label.off":
            mark = target == "mark"
            told = "The invisible mark was switched off." if mark else "The visible label was switched off."
            found.append(Alert("label_off", told))
        if action == "content.off":
            found.append(Alert("content_off", "The nudity check was switched off."))
        if action.startswith("export.") and self._too_many("exports", "", mono_ns):
            found.append(Alert("many_exports", f"More than {MANY} exports within a minute."))
        if action == "consent.deny" and self._too_many("denials", "", mono_ns):
            found.append(Alert("many_denials", f"Consent was denied more than {MANY} times within a minute."))
        # A session loads several models as it starts: only the same one again and again is too many.
        kind = f"{action} {metadata.get('model', '')}" if action == "model.load" else action
        if self._too_many(kind, user, mono_ns):
            found.append(Alert("many_actions", f"More than {MANY} times {action} by {user} within a minute."))
        if action == UNLOCK:
            found += self._unlock(succeeded=status == "success")
        return found

    def _unlock(self, *, succeeded: bool) -> list[Alert]:
        self._failed_unlocks = 0 if succeeded else self._failed_unlocks + 1
        if self._failed_unlocks != UNLOCK_TRIES:
            return []
        self._failed_unlocks = 0
        return [Alert("failed_unlocks", f"{UNLOCK_TRIES} wrong operator codes in a row.")]

    def _too_many(self, what: str, who: str, now_ns: int) -> bool:
        """Just one too many within the window? The first beyond the limit is; those after it are old news."""
        times = self._recent.setdefault((what, who), deque(maxlen=MANY + 2))
        while times and now_ns - times[0] > WINDOW_NS:
            times.popleft()
        times.append(now_ns)
        return len(times) == MANY + 1
