"""Models fetched over TLS, or from servers that lie: what is the network's fault, and what the disk's."""

import errno
import os
import shutil
from collections.abc import Iterator
from email.message import Message
from pathlib import Path
from typing import Self

import pytest

from facefusion_live.app import model_store as module
from facefusion_live.domain.errors import ModelStoreError
from tests.adapters.web_server import honest, serving, spoilt_record, status
from tests.app.model_desk import FILE, Desk, converter_bytes, sha
from tests.fakes.tls import certified


@pytest.fixture
def safe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A desk whose server speaks TLS, with a certificate that this process trusts."""
    context, certificate = certified(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with serving(converter_bytes(tmp_path), context) as server:
        yield Desk(tmp_path / "models", server)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with serving(converter_bytes(tmp_path)) as server:
        yield Desk(tmp_path / "models", server)


def part(desk: Desk) -> Path:
    return desk.folder / f"{FILE}.part"


def test_a_model_comes_over_tls(safe: Desk) -> None:
    assert safe.server.url.startswith("https://localhost:")
    assert safe.pull(safe.card()).sha256 == sha(safe.server.body)


def test_a_broken_record_is_a_break_off_and_the_rest_is_fetched(safe: Desk) -> None:
    safe.server.answers = [spoilt_record(safe.server, after=700_000), None]
    assert safe.pull(safe.card()).sha256 == sha(safe.server.body)
    (_, first), (_, second) = safe.server.requests
    assert first == ""
    have = int(second.removeprefix("bytes=").rstrip("-"))
    assert 0 < have <= 700_000, "what came before it is kept"


def test_where_every_record_breaks_the_next_mirror_is_asked(safe: Desk) -> None:
    def act(handler: object) -> None:
        broken = handler.path == "/broken"  # type: ignore[attr-defined]
        (spoilt_record(safe.server, after=3000) if broken else honest(safe.server))(handler)

    safe.server.answers = [act]
    done = safe.pull(safe.card(f"{safe.server.url}/broken", f"{safe.server.url}/whole"))
    assert done.path.read_bytes() == safe.server.body
    assert [path for path, _ in safe.server.requests] == [*["/broken"] * 4, "/whole"]


def test_an_answer_that_breaks_before_its_head_is_told_as_the_servers(safe: Desk) -> None:
    safe.server.answers = [lambda handler: os.write(handler.connection.fileno(), b"no record of TLS" * 8)]
    with pytest.raises(ModelStoreError, match=r"localhost: (cannot be reached \(SSLError\)|broke off)") as refusal:
        safe.pull(safe.card())
    assert "disk" not in str(refusal.value) + refusal.value.advice
    assert len(safe.server.requests) == 4


class Unplugged:
    """An answer whose body stops with whatever a network says."""

    status = 200

    def __init__(self, number: int) -> None:
        self.headers, self._number = Message(), number

    def read(self, _size: int) -> bytes:
        raise OSError(self._number, os.strerror(self._number))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


@pytest.mark.parametrize("number", [errno.EHOSTUNREACH, errno.ENETDOWN, errno.ETIMEDOUT, errno.EIO])
def test_whatever_the_network_says_in_the_middle_is_not_the_disks_fault(desk: Desk, number: int) -> None:
    desk.store._download._opener = type("Opener", (), {"open": lambda *_, **__: Unplugged(number)})()  # type: ignore[assignment]
    with pytest.raises(ModelStoreError, match=r"could not be fetched \(127\.0\.0\.1: broke off"):
        desk.pull(desk.card())
    assert len(desk.pauses) == 3


@pytest.mark.parametrize("number", [errno.ETIMEDOUT, errno.ENOSPC, errno.EIO])
def test_what_the_disk_says_is_told_as_the_disks_and_nobody_else_is_asked(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def full(_file: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("facefusion_live.adapters.web.download.os.fsync", full)
    with pytest.raises(ModelStoreError, match=f"cannot be written: {os.strerror(number)}"):
        desk.pull(desk.card(f"{desk.server.url}/a", f"{desk.server.url}/b"))
    assert len(desk.server.requests) == 1


def test_a_redirect_to_an_open_address_is_not_followed(safe: Desk, tmp_path: Path) -> None:
    with serving(converter_bytes(tmp_path)) as plain:
        safe.server.answers = [status(302, Location=f"{plain.url}/a.onnx")]
        with pytest.raises(ModelStoreError, match="leads to an address that is not protected"):
            safe.pull(safe.card())
        assert plain.requests == []
    assert safe.names == set()


def test_another_piece_than_was_asked_for_is_not_joined(desk: Desk) -> None:
    def another(handler: object) -> None:
        """As if nobody had asked for the rest; it says so, and it has the length that the rest would have."""
        server, start = desk.server, 700_000
        handler.send_response(206)  # type: ignore[attr-defined]
        handler.send_header("Content-Length", str(len(server.body) - start))  # type: ignore[attr-defined]
        handler.send_header("Content-Range", f"bytes 0-{len(server.body) - start - 1}/{len(server.body)}")  # type: ignore[attr-defined]
        handler.end_headers()  # type: ignore[attr-defined]
        handler.wfile.write(server.body[: len(server.body) - start])  # type: ignore[attr-defined]

    desk.server.answers = [honest(desk.server, cut_at=700_000), another]
    with pytest.raises(ModelStoreError, match="sends another piece than it was asked for"):
        desk.pull(desk.card())
    assert part(desk).stat().st_size == 700_000, "what was right is kept"
    assert [asked for _, asked in desk.server.requests] == ["", "bytes=700000-"]


def test_without_room_for_what_the_server_tells_of_nothing_is_taken(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The card tells no size: only the server does."""
    usage = shutil.disk_usage("/")._replace(free=64 * 1024**2 + 1000)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _path: usage)
    assert desk.card().size is None
    with pytest.raises(ModelStoreError, match=f"there is no room for {FILE}$") as refusal:
        desk.pull(desk.card())
    assert refusal.value.advice == "Make 2 MiB free."
    assert part(desk).stat().st_size == 0
    assert FILE not in desk.names


def test_a_server_without_a_certificate_to_trust_is_not_asked_for_the_file(tmp_path: Path) -> None:
    context, _ = certified(tmp_path)
    with serving(converter_bytes(tmp_path), context) as server:
        desk = Desk(tmp_path / "models", server)
        with pytest.raises(ModelStoreError, match=r"cannot be reached \(SSLCertVerificationError\)"):
            desk.pull(desk.card())
        assert server.requests == []
