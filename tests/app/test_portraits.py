"""Whose face a built-in one is: the one that its table names, or nobody's."""

import shutil
from pathlib import Path

import pytest

from facefusion_live.app import portraits
from facefusion_live.domain.consent import Consent
from facefusion_live.domain.errors import SourceFaceError
from tests.support import RESOURCES


def test_every_avatar_is_the_one_of_its_table() -> None:
    assert all(portraits.source(name, None).built_in for name in portraits.avatars())


def test_a_stranger_in_an_avatars_place_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(RESOURCES / "avatars", tmp_path / "resources" / "avatars")
    ada = tmp_path / "resources" / "avatars" / "ada.jpg"
    ada.write_bytes(ada.read_bytes() + b"somebody else")
    monkeypatch.setattr(portraits, "resource", lambda name: tmp_path / name)
    for given in ("ada", ada):
        with pytest.raises(SourceFaceError, match=r"ada\.jpg is not the built-in face") as refused:
            portraits.source(given, Consent.GENERATED)
        assert refused.value.advice
    assert portraits.source("bo", None).built_in
