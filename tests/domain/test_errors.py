"""The tree of errors."""

import inspect

import pytest

from facefusion_live.domain import errors
from facefusion_live.domain.errors import BadInputError, FaceFusionLiveError

EVERY = [value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, Exception)]
ASKED_WRONGLY = {
    "BadInputError",
    "SettingsError",
    "NewerFileError",
    "NewerConsentError",
    "ModelCardError",
    "ModelMissingError",
    "ModelUnfitError",
    "ModelChangedError",
    "ServerOpenError",
    "ModelFileError",
    "SourceFaceError",
    "ConsentError",
    "CaptureOpenError",
    "SinkOpenError",
}


@pytest.mark.parametrize("kind", EVERY)
def test_every_error_speaks_to_the_developer_and_advises_the_user(kind: type[FaceFusionLiveError]) -> None:
    error = kind("disk 3 is full", advice="Delete something.")
    assert isinstance(error, FaceFusionLiveError)
    assert (str(error), error.advice) == ("disk 3 is full", "Delete something.")
    assert kind("no way").advice in ("", errors.CARD_AND_FILE)


def test_what_the_user_asked_wrongly_can_be_told_from_what_broke() -> None:
    assert {kind.__name__ for kind in EVERY if issubclass(kind, BadInputError)} == ASKED_WRONGLY


def test_a_port_has_one_error_to_catch() -> None:
    assert issubclass(errors.CaptureOpenError, errors.CaptureError)
    assert issubclass(errors.CaptureLostError, errors.CaptureError)
    assert issubclass(errors.SinkOpenError, errors.SinkError)
