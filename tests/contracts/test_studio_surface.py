"""The window's tests hold a fake studio: it must have the surface of the real one, and behave alike where it shows."""

import inspect
from pathlib import Path

import pytest

from facefusion_live.app.audit_desk import AuditDesk
from facefusion_live.app.guest_list import GuestList
from facefusion_live.app.library import Library
from facefusion_live.app.studio import Studio
from tests.fakes.studio import FakeAuditDesk, FakeGuests, FakeLibrary, FakeStudio

NOT_FOR_WINDOWS = {
    Library: {"sources", "refresh", "show_consents", "look_at_consents", "photos_sha256"},
    AuditDesk: {"close"},
    GuestList: {"roster"},
    Studio: set[str](),
}
PAIRS = [(Studio, FakeStudio), (Library, FakeLibrary), (AuditDesk, FakeAuditDesk), (GuestList, FakeGuests)]


def surface(kind: type) -> dict[str, object]:
    return {name: member for name, member in vars(kind).items() if not name.startswith("_")}


@pytest.mark.parametrize(("real", "fake"), PAIRS)
def test_the_fake_has_the_whole_surface(real: type, fake: type, tmp_path: Path) -> None:
    made = {FakeStudio: lambda: FakeStudio(tmp_path), FakeGuests: lambda: FakeStudio(tmp_path).guests}.get(fake, fake)()
    for name in surface(real).keys() - NOT_FOR_WINDOWS[real]:
        assert hasattr(made, name), f"{fake.__name__} lacks {name}"


@pytest.mark.parametrize(("real", "fake"), PAIRS)
def test_methods_are_called_alike(real: type, fake: type) -> None:
    for name, member in surface(real).items():
        if inspect.isfunction(member) and name not in NOT_FOR_WINDOWS[real]:
            wanted, given = (inspect.signature(getattr(kind, name)).parameters.values() for kind in (real, fake))
            assert [(p.name, p.kind, p.default) for p in wanted] == [(p.name, p.kind, p.default) for p in given], name


def test_what_the_studio_holds_the_fake_holds(tmp_path: Path) -> None:
    fake = FakeStudio(tmp_path)
    for name in ("store", "history", "presets", "library", "consents", "guests", "audit"):
        assert hasattr(fake, name)
