"""Which rows somebody wants to see."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, cast

from facefusion_live.domain.errors import BadInputError

_EXACT = ("status", "session_id", "user_id", "target")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which rows are wanted. Empty fields do not narrow anything down.

    Attributes:
        since: Earliest timestamp, as rows write it.
        until: Earliest timestamp that is too late.
        action: As `event.ACTIONS`, or the beginning of one with a dot: "consent.".
        status: success, failure or denied.
        session_id: One session.
        user_id: One user, masked.
        target: One target.
        setting: Changes of one parameter: "look.opacity".
        limit: The last so many; 0 for all.

    Raises:
        BadInputError: A limit below 0.
    """

    since: str = ""
    until: str = ""
    action: str = ""
    status: str = ""
    session_id: str = ""
    user_id: str = ""
    target: str = ""
    setting: str = ""
    limit: int = 0

    def __post_init__(self) -> None:
        if self.limit < 0:
            raise BadInputError(f"a limit of {self.limit} rows is not allowed", advice="Give 0 (all) or more.")

    def matches(self, event: Mapping[str, Any]) -> bool:
        """Is it a row that is wanted? The database is asked the same question in SQL; here archives are, too."""
        at, action = event["timestamp"], event["action"]
        return (
            (not self.since or at >= self.since)
            and (not self.until or at < self.until)
            and (action.startswith(self.action) if self.action.endswith(".") else self.action in {"", action})
            and all(getattr(self, name) in {"", event[name]} for name in _EXACT)
            and (not self.setting or self.setting in _changed(event))
        )

    @property
    def words(self) -> str:
        """For the row that tells of an export, and its manifest."""
        said = {each.name: getattr(self, each.name) for each in fields(self)}
        return ", ".join(f"{name}={value}" for name, value in said.items() if value) or "all rows"


def _changed(event: Mapping[str, Any]) -> list[str]:
    """The parameters that a `settings.change`, `session.start` or `governor.step` tells of."""
    changes: Any = event["metadata"].get("fields", [])
    if not isinstance(changes, list):
        return []
    return [str(each.get("field", "")) for each in cast("list[Any]", changes) if isinstance(each, dict)]
