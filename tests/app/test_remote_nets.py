"""A server for nets, as settings ask for it."""

from pathlib import Path

import pytest

from facefusion_live.app.remote_nets import _vouched, in_words, open_server
from facefusion_live.domain.errors import ServerOpenError
from facefusion_live.domain.remote import ServerAddress
from facefusion_live.domain.settings import Settings
from tests.adapters.sinks.tls import Authority


def vouched(remote: str, **more: str) -> Path | str:
    wanted = {"inference.remote": remote} | {f"inference.remote_{name}": value for name, value in more.items()}
    return _vouched(ServerAddress.parse(remote), Settings().with_values(wanted).inference)


def test_without_an_address_there_is_none() -> None:
    assert open_server(Settings(), lambda _served: None) is None


@pytest.mark.parametrize("reason", ["", "  ", "x", " a  "])
def test_unencrypted_to_another_machine_needs_a_reason(reason: str) -> None:
    with pytest.raises(ServerOpenError, match="encrypted, or for a reason") as refused:
        vouched("grpc://10.0.0.7:8001", plain=reason)
    assert "--inference.remote_plain" in refused.value.advice


def test_the_reason_goes_on_record() -> None:
    assert vouched("grpc://10.0.0.7:8001", plain=" a cable of\n our own ") == "a cable of our own"


def test_what_stays_on_this_machine_needs_none() -> None:
    assert vouched("grpc://127.0.0.1:8001") == ""


def test_the_users_authority_or_the_systems_vouches(tmp_path: Path) -> None:
    own = Authority(tmp_path).file
    assert vouched("grpcs://10.0.0.7:8001", ca=str(own)) == own
    systems = vouched("grpcs://10.0.0.7:8001")
    assert isinstance(systems, Path)
    assert systems.is_file()
    with pytest.raises(ServerOpenError, match="holds no certificates"):
        vouched("grpcs://10.0.0.7:8001", ca=str(tmp_path / "none.pem"))


@pytest.mark.parametrize(
    ("host", "encrypted", "ends"),
    [
        ("10.0.0.7:8001", False, "go there, unencrypted"),
        ("10.0.0.7:8001", True, "go there"),
        ("[::1]:8001", False, "go there"),
    ],
)
def test_people_are_told_whither_pictures_go(host: str, encrypted: bool, ends: str) -> None:  # noqa: FBT001
    told = in_words({"model": "m", "host": host, "encrypted": encrypted})
    assert told.startswith(f"m runs on {host}: pictures of faces ")
    assert told.endswith(ends)
