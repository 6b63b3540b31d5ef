"""One tree of errors. `str(error)` is for the developer, `error.advice` for the user."""


class FaceFusionLiveError(Exception):
    """Root of every error that this program raises on purpose.

    Args:
        message: What went wrong, in one line and without a home path or an embedding in it.
        advice: What the user can do about it, in one sentence. Empty when there is nothing to do.
    """

    def __init__(self, message: str, *, advice: str = "") -> None:
        super().__init__(message)
        self.advice = advice


class BadInputError(FaceFusionLiveError):
    """The user asked for something that cannot be done as asked. The command line exits with 2."""


class SettingsError(BadInputError):
    """A parameter that does not exist, or a value outside its range."""


CARD_AND_FILE = "Use the publisher's own file, or correct the model's card."
"""What is advised where a card and its model do not fit, and nobody knows better."""


class NewerFileError(SettingsError):
    """A file of the user's that a newer version of this program wrote: read by guess, it would be lost or misread."""


class ModelCardError(BadInputError):
    """A model card that does not keep to the schema of `domain.model_card`, or does not fit its model.

    Args:
        message: As for its base.
        advice: The same; unless told, that file and card must belong together.
    """

    def __init__(self, message: str, *, advice: str = CARD_AND_FILE) -> None:
        super().__init__(message, advice=advice)


class SourceFaceError(BadInputError):
    """A source picture that cannot serve: unreadable, too small, too large, no face, several faces."""


class ConsentError(BadInputError):
    """A source face without the record that allows its use."""


class NewerConsentError(ConsentError, NewerFileError):
    """The consent records are a newer version's: nobody but the built-in faces is let in until that one reads them."""


class CaptureError(FaceFusionLiveError):
    """A frame source could not be opened, or ended with an error."""


class CaptureOpenError(CaptureError, BadInputError):
    """A frame source that could not be opened at all: no such camera, no such file, nobody answers."""


class CaptureLostError(CaptureError):
    """A frame source that worked and stopped: unplugged, timed out, broken stream. Opening it again may help."""


class InferenceError(FaceFusionLiveError):
    """A net could not be loaded or run, or gave values that cannot be used."""


class NotFiniteError(InferenceError):
    """A net gave numbers that are no picture."""


class HalfPrecisionError(NotFiniteError):
    """A net overflowed in half precision; it runs in single precision from now on."""


class ModelMissingError(InferenceError, BadInputError):
    """A model that there is a card for, and no file."""


class ModelUnfitError(InferenceError, BadInputError):
    """A model that the user brought, and that cannot be loaded, or paints no face."""


class ModelChangedError(ModelUnfitError):
    """A model's file that is not the one that came: it does not run.

    Args:
        message: As for its base.
        advice: How the right one comes back.
        model: The card's id.
        sha256: What the file has now.

    Attributes:
        model: As given.
        sha256: As given.
    """

    def __init__(self, message: str, *, advice: str = "", model: str = "", sha256: str = "") -> None:
        super().__init__(message, advice=advice)
        self.model, self.sha256 = model, sha256


class ServerOpenError(InferenceError, BadInputError):
    """A server for nets that cannot be used at all: not there, not to be trusted, or without the net."""


class ModelFileError(BadInputError):
    """A file that cannot be the model that it is given for: damaged, of another shape, or not safe to open."""


class ModelStoreError(FaceFusionLiveError):
    """A model could not be fetched, or could not be put into the folder of models."""


class ComputeError(FaceFusionLiveError):
    """A picture could not be cropped, composed or read back."""


class ComputeLostError(ComputeError):
    """A back-end that worked and is gone: its context lost, its driver silent. Another one must take over."""


class SinkError(FaceFusionLiveError):
    """An output could not be opened or written."""


class SinkOpenError(SinkError, BadInputError):
    """An output that could not be opened at all: unwritable folder, unknown format."""


class ResourceError(FaceFusionLiveError):
    """A file that belongs to the program (model, avatar, demo clip) is missing or damaged."""
