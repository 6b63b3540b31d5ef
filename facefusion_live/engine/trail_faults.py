"""What fails beside the log while the log itself is written: said once when it begins to, and once when it is over."""

from collections.abc import Callable, Iterable

from facefusion_live.domain.audit.alerts import FAULTS, Alert


class Faults:
    """Follows them until the log has taken the rows that tell of them. Thread: writer.

    Args:
        alert: Told at once when something begins to fail, whatever the log takes.
    """

    def __init__(self, alert: Callable[[Iterable[Alert]], None]) -> None:
        self._alert = alert
        self._failing: dict[str, str] = {}
        self._told: dict[str, bool] = {}

    def seen(self, what: str, error_type: str) -> None:
        """How something stands.

        Args:
            what: One of `alerts.FAULTS`.
            error_type: What it failed with; empty when it works.
        """
        if error_type and not self._failing.get(what):
            self._alert([FAULTS[what]])
        self._failing[what] = error_type

    def untold(self) -> list[tuple[str, str, dict[str, object]]]:
        """Name, status and metadata of each row that is due."""
        due = [each for each, error in self._failing.items() if bool(error) != self._told.get(each, False)]
        return [(each, *self._row(each)) for each in due]

    def told(self, what: str) -> None:
        """Its row is on the disk."""
        self._told[what] = bool(self._failing[what])

    def _row(self, what: str) -> tuple[str, dict[str, object]]:
        error_type = self._failing[what]
        if error_type:
            return "failure", {"what": what, "phase": "start", "error_type": error_type}
        return "success", {"what": what, "phase": "end"}
