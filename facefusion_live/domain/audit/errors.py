"""What can go wrong with a record."""

from facefusion_live.domain.errors import BadInputError, FaceFusionLiveError


class AuditError(FaceFusionLiveError):
    """Root of the audit trail's errors."""


class NotCanonicalError(AuditError):
    """A value or text outside the profile of `canonical`."""


class EventError(AuditError, ValueError):
    """An event that does not keep to the schema of `event`."""


class NoteError(AuditError):
    """A text that is no signed note, or a note that is no checkpoint."""


class UnreadableError(AuditError):
    """Evidence that exists and cannot be read: a damaged database, archive or export."""


class CannotOpenError(UnreadableError):
    """A database that SQLite cannot open or read now: locked, no space, no right. No word about what is in it."""


class AuditStoreError(AuditError):
    """The store cannot take rows now: disk full, read-only, deleted, replaced, locked."""


class StoreHangsError(AuditStoreError):
    """The disk under the store does not answer in time."""


class StoreReplacedError(AuditStoreError):
    """The file under the store is gone, is another one, or was written by somebody else."""


class KeyLostError(AuditStoreError):
    """The private key of the log's present epoch is not to be had; the log cannot be continued."""


class ExportError(AuditError, BadInputError):
    """An export cannot be written where it was asked for. The store is as well as before."""


class EvidenceMissingError(AuditError, BadInputError):
    """There is nothing to verify where the user pointed. The command line exits with 2."""


class ForwardError(AuditError):
    """A receiver of forwarded rows cannot be reached or did not take them."""


class OperatorCodeError(AuditError, BadInputError):
    """Everyone's rows were asked for without the operator's code."""
