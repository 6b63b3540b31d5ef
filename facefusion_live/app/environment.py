"""Where things lie: resources in a checkout, a wheel or the frozen program; the user's files under one home."""

import getpass
import logging
import logging.handlers
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import platformdirs

from facefusion_live.app.log_masking import MaskedFormatter
from facefusion_live.app.tables import Schema, Table, read_table, write_table
from facefusion_live.domain.errors import BadInputError, ResourceError, SettingsError
from facefusion_live.domain.settings import PARAMETERS, Settings

HOME_VARIABLE = "FACEFUSION_LIVE_HOME"
"""Names the one folder that holds all state: for tests and portable installs."""
_APP = "facefusion-live"
_NEVER_KEPT: Final = {"label.show", "label.mark", "label.reason", "content.check", "content.reason"}
_LOG_BYTES = 1_000_000


def _first_version(table: Table) -> Table:
    """Version 0 had no version in the file and the same parameters; so have files that people write by hand.

    In its first days, faces could be looked for in each 120th picture only. It is each 30th at least by now, since a
    face that comes in is hidden no earlier: what was more rarely is as rarely as may be.
    """
    detect = table.get("detect")
    if isinstance(detect, dict) and detect.get("every_n") in range(31, 121):
        return {**table, "detect": {**detect, "every_n": 30}}
    return table


SETTINGS_SCHEMA: Final = Schema(version=1, unnamed=0, steps=MappingProxyType({0: _first_version}))


def resource(name: str) -> Path:
    """A file or folder that belongs to the program.

    Args:
        name: "resources/models/face_mesh.onnx", "shaders/compose.frag".

    Raises:
        ResourceError: It is not there.
    """
    package = Path(__file__).resolve().parents[1]
    frozen = getattr(sys, "_MEIPASS", None)
    roots = [Path(frozen)] if frozen else [package / "_data", package.parent]
    for root in roots:
        if (root / name).exists():
            return root / name
    raise ResourceError(f"{name} is missing", advice="Install the program again.")


def user_path(text: str | Path) -> Path:
    """A path as a user wrote it, with `~` and `~name` resolved.

    Raises:
        BadInputError: There is no such user.
    """
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        user = Path(text).parts[0]
        raise BadInputError(f"there is no home folder of {user}", advice="Write the path in full.") from error


@dataclass(frozen=True, slots=True)
class Home:
    """The user's files.

    Attributes:
        config: Settings, presets, consent records: what a user would back up.
        data: Models and the audit trail: what is large or must not be lost.
        logs: For developers.
    """

    config: Path
    data: Path
    logs: Path

    @classmethod
    def from_environment(cls) -> "Home":
        """All under `FACEFUSION_LIVE_HOME` where it is set, else where the system keeps such files.

        Raises:
            BadInputError: The variable names the home of a user who does not exist.
        """
        one = os.environ.get(HOME_VARIABLE)
        if one:
            folder = _home_folder(one)
            return cls(folder, folder, folder / "logs")
        dirs = platformdirs.PlatformDirs(_APP, appauthor=False)
        return cls(dirs.user_config_path, dirs.user_data_path, dirs.user_log_path)

    @property
    def settings_file(self) -> Path:
        """`settings.toml`."""
        return self.config / "settings.toml"

    @property
    def log_file(self) -> Path:
        """What developers ask for."""
        return self.logs / "facefusion-live.log"

    @property
    def presets(self) -> Path:
        """Saved looks."""
        return self.config / "presets"

    @property
    def consent(self) -> Path:
        """Consent records."""
        return self.config / "consent"

    @property
    def enrolled(self) -> Path:
        """Whose faces the program knows: biometric data."""
        return self.config / "enrolled.toml"

    @property
    def credentials(self) -> Path:
        """What signs recordings and snapshots."""
        return self.data / "credentials"

    @property
    def models(self) -> Path:
        """Models that the user brought."""
        return self.data / "models"

    @property
    def audit(self) -> Path:
        """The audit trail."""
        return self.data / "audit"


def _home_folder(text: str) -> Path:
    try:
        return user_path(text)
    except BadInputError as error:
        raise BadInputError(f"{HOME_VARIABLE}: {error}", advice=error.advice) from error


def load_settings(file: Path) -> Settings:
    """The settings of a file; the defaults where there is none.

    Raises:
        NewerFileError: A newer version of this program wrote it.
        SettingsError: The file is no TOML, or holds a parameter or value that does not exist, or one that leaves out
            label, mark or nudity check: somebody says so at each start.
    """
    table = read_table(file, SETTINGS_SCHEMA)
    try:
        settings = Settings().with_values(_flat(table))
    except SettingsError as error:
        raise SettingsError(f"{file.name}: {error}", advice=error.advice) from error
    for path in settings.changes_from(Settings()):
        if path in _NEVER_KEPT:
            advice = f"Take it out of the file, and say it at each start: --{path} …"
            raise SettingsError(f"{file.name}: {path} is never kept", advice=advice)
    return settings


def save_settings(settings: Settings, file: Path) -> None:
    """Write what differs from the defaults, whole or not at all.

    What leaves out label or mark is not kept: it lasts until the program ends, and the next start asks again.

    Raises:
        SettingsError: The file cannot be written.
    """
    table: dict[str, dict[str, Any]] = {}
    for path, (_, value) in settings.changes_from(Settings()).items():
        row = PARAMETERS[path]
        if path in _NEVER_KEPT:
            continue
        table.setdefault(row.group, {})[row.name] = value
    write_table(file, SETTINGS_SCHEMA, table)


def _flat(table: dict[str, Any]) -> dict[str, object]:
    values: dict[str, object] = {}
    for group, fields in table.items():
        if not isinstance(fields, dict):
            raise SettingsError(f"{group!r} is not a group", advice="Write [group] and below it name = value.")
        values |= {f"{group}.{name}": value for name, value in fields.items()}
    return values


class _OnceInAWhile(logging.Filter):
    """Lets the same message of the same place through once, then every hundredth time."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[tuple[str, int], int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written."""
        place = (record.pathname, record.lineno)
        count = self._seen[place] = self._seen.get(place, 0) + 1
        return count <= 3 or count % 100 == 0


class _LogFile(logging.handlers.RotatingFileHandler):
    """A log file that is done without where it cannot be written."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's name)
        """Say nothing: a full disk is told once, by whoever needs it, and not once for every line."""


def start_logging(home: Home) -> None:
    """Send the program's log to a small rotating file. A folder that cannot be written means no log, nothing worse."""
    logger = logging.getLogger("facefusion_live")
    logger.propagate = False
    logger.setLevel(logging.INFO)
    if logger.handlers:
        return
    try:
        home.logs.mkdir(parents=True, exist_ok=True)
        handler: logging.Handler = _LogFile(home.log_file, maxBytes=_LOG_BYTES, backupCount=3, encoding="utf-8")
    except OSError:
        handler = logging.NullHandler()
    handler.setFormatter(MaskedFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    handler.addFilter(_OnceInAWhile())
    logger.addHandler(handler)


def this_user() -> str:
    """Who runs the program, as the system knows them: an environment variable makes nobody another.

    Windows has no number to ask for; there it is what `getpass` finds, which a variable may change.
    """
    if sys.platform == "win32":
        return getpass.getuser()
    import pwd  # noqa: PLC0415 (Windows has none)

    number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:  # a container that runs as a number without a name
        return f"uid:{number}"
