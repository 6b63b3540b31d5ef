"""Files of a newer version of this program: a window does not open on them, so that nothing is put aside or lost."""

from facefusion_live.app import enrolment, people, session_memory
from facefusion_live.app.consents import ConsentBook
from facefusion_live.app.environment import SETTINGS_SCHEMA, Home
from facefusion_live.app.tables import read_table
from facefusion_live.domain.errors import ConsentError, NewerFileError, SettingsError


def refuse_newer(home: Home) -> None:
    """Stop before anything is put aside or written: whoever went back to an older version goes forward again.

    Raises:
        NewerFileError: A newer version of this program wrote one of the files.
    """
    files = {
        home.settings_file: SETTINGS_SCHEMA,
        home.config / "session.toml": session_memory.SCHEMA,
        home.consent / "people.toml": people.SCHEMA,
        home.enrolled: enrolment.SCHEMA,
    }
    for file, schema in files.items():
        try:
            read_table(file, schema)
        except NewerFileError:
            raise
        except SettingsError:
            continue  # damaged: that is told when it is put aside
    try:
        ConsentBook(home.consent).grants()
    except NewerFileError:
        raise
    except ConsentError:
        return  # damaged: they let in nobody, and say so when they are asked
