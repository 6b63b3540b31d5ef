"""Streams over TLS: to whom an authority vouches for, and to nobody else; FFmpeg's own connection included."""

import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from facefusion_live.adapters.sinks.addresses import Address
from facefusion_live.domain.errors import SinkOpenError
from tests.adapters.clips import FPS, SIZE_WH
from tests.adapters.sinks.servers import HOST, KEY, RtmpServer
from tests.adapters.sinks.test_stream import STREAM, Feeder, numbers_in, streaming
from tests.adapters.sinks.tls import Authority, TlsFront


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RtmpServer]:
    server = RtmpServer(tmp_path)
    yield server
    server.close()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def refused(port: int, host: str = "localhost", ca_file: Path | str = "") -> SinkOpenError:
    stream = dataclasses.replace(STREAM, ca_file=str(ca_file))
    with pytest.raises(SinkOpenError) as caught:
        streaming(f"rtmps://{host}:{port}/live/{KEY}", stream).open(SIZE_WH, FPS)
    assert KEY not in f"{caught.value} {caught.value.advice}"
    return caught.value


@pytest.mark.parametrize("host", ["localhost", HOST])
def test_a_server_that_a_trusted_authority_vouches_for_gets_the_stream(
    server: RtmpServer, authority: Authority, host: str
) -> None:
    with TlsFront(authority.vouched(host), server.port) as front:
        stream = dataclasses.replace(STREAM, ca_file=str(authority.file))
        sink = streaming(f"rtmps://{host}:{front.port}/live/{KEY}?odd='|]:\\&x=1", stream)
        sink.open(SIZE_WH, FPS)
        Feeder(sink).send(45)
        sink.close()
        time.sleep(0.3)
    numbers = numbers_in(server.received[0])
    assert numbers == list(range(numbers[0], 45))
    assert len(numbers) >= 40


def test_one_that_vouches_for_itself_is_refused(server: RtmpServer, authority: Authority) -> None:
    with TlsFront(authority.vouched("localhost", by_itself=True), server.port) as front:
        for ca_file in ("", authority.file):
            error = refused(front.port, ca_file=ca_file)
            words = "its certificate is not to be trusted (self-signed certificate)"
            assert str(error) == f"rtmps://localhost:{front.port}: {words}"
            assert "stream.ca_file" in error.advice


def test_one_with_the_certificate_of_another_is_refused(server: RtmpServer, authority: Authority) -> None:
    with TlsFront(authority.vouched("elsewhere.example"), server.port) as front:
        error = refused(front.port, ca_file=authority.file)
    assert "its certificate is not to be trusted (Hostname mismatch" in str(error)


@pytest.mark.parametrize(("host", "by_itself"), [("localhost", True), ("elsewhere.example", False)])
def test_ffmpeg_itself_refuses_too(
    server: RtmpServer, authority: Authority, monkeypatch: pytest.MonkeyPatch, host: str, *, by_itself: bool
) -> None:
    """It connects anew after our look, and at every reconnection."""
    monkeypatch.setattr(Address, "knock", lambda _address, _timeout_s: None)
    with TlsFront(authority.vouched(host, by_itself=by_itself), server.port) as front:
        assert "did not take the stream" in str(refused(front.port, ca_file=authority.file))
        assert "did not take the stream" in str(refused(front.port))
    assert server.received == []


def test_a_list_of_authorities_that_is_not_there_is_told(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing")
    for file in (tmp_path / "none.pem", empty):
        error = refused(1, ca_file=file)
        assert str(error) == f"{file.name} holds no certificates"
