import pytest

from facefusion_live.domain.errors import SettingsError
from facefusion_live.domain.remote import ServerAddress, are_tasks, is_address, tasks_of
from facefusion_live.domain.settings import Settings


@pytest.mark.parametrize(
    ("text", "host", "port", "encrypted", "shown"),
    [
        ("grpcs://gpu.studio:8001", "gpu.studio", 8001, True, "gpu.studio:8001"),
        (" GRPC://Localhost:9/ ", "localhost", 9, False, "localhost:9"),
        ("grpcs://[FE80::1]:8001", "fe80::1", 8001, True, "[fe80::1]:8001"),
    ],
)
def test_addresses_are_read_as_they_are_pasted(text: str, host: str, port: int, encrypted: bool, shown: str) -> None:  # noqa: FBT001
    address = ServerAddress.parse(text)
    assert (address.host, address.port, address.encrypted, str(address)) == (host, port, encrypted, shown)


@pytest.mark.parametrize(
    "text",
    [
        "gpu.studio:8001",
        "https://gpu.studio:8001",
        "grpcs://gpu.studio",
        "grpcs://gpu.studio:0",
        "grpcs://gpu.studio:65536",
        "grpcs://anna:secret@gpu.studio:8001",
        "grpcs://gpu.studio:8001/v2",
        "grpcs://:8001",
        "unix:///run/net.sock",
    ],
)
def test_what_is_no_address_is_refused_with_advice(text: str) -> None:
    assert not is_address(text)
    with pytest.raises(SettingsError) as refused:
        ServerAddress.parse(text)
    assert "grpcs://HOST:PORT" in refused.value.advice
    with pytest.raises(SettingsError):
        Settings().with_values({"inference.remote": text})


@pytest.mark.parametrize(
    ("host", "here"),
    [("127.0.0.1", True), ("127.8.9.1", True), ("[::1]", True), ("localhost", True), ("10.0.0.1", False), ("a", False)],
)
def test_only_loopback_is_here(host: str, here: bool) -> None:  # noqa: FBT001
    assert ServerAddress.parse(f"grpc://{host}:1").is_here == here


def test_nothing_is_an_address_too() -> None:
    assert is_address(" ")
    assert Settings().inference.remote == ""


def test_tasks_are_named_with_commas_or_blanks() -> None:
    assert tasks_of("Swapper,enhancer") == {"swapper", "enhancer"}
    assert are_tasks("recogniser swapper")


@pytest.mark.parametrize("text", ["", " , ", "detector", "swapper, everything"])
def test_faces_are_looked_for_here_and_something_must_be_named(text: str) -> None:
    assert not are_tasks(text)
    with pytest.raises(SettingsError):
        Settings().with_values({"inference.remote_tasks": text})
