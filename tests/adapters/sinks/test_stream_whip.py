"""WHIP: WebRTC to a server, with FFmpeg's muxer and what it needs beside itself."""

import dataclasses
import http.server
import threading
import time
from pathlib import Path

import pytest

from facefusion_live.adapters.sinks.addresses import Address
from facefusion_live.domain.ports import SinkState
from tests.adapters.clips import FPS, SIZE_WH
from tests.adapters.sinks.servers import HOST, KEY
from tests.adapters.sinks.test_stream import STREAM, Feeder, refused, streaming
from tests.adapters.sinks.tls import Authority, TlsFront
from tests.adapters.sinks.whip_server import WhipServer


def test_a_server_gets_pictures_in_order_and_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    with WhipServer(monkeypatch) as server:
        sink = streaming(f"whip+http://{KEY}@{HOST}:{server.port}/whip/live")
        sink.open(SIZE_WH, FPS)
        Feeder(sink).send(75)
        assert sink.status().state is SinkState.RUNNING
        sink.close()
        time.sleep(0.3)
    assert [first for first, _ in server.asked] == ["POST /whip/live HTTP/1.1", "DELETE /calls/1 HTTP/1.1"]
    assert server.asked[0][1]["authorization"] == f"Bearer {KEY}"
    numbers = [number for number in server.numbers if number is not None]
    assert numbers == sorted(numbers)
    assert len(set(numbers)) >= 60
    assert server.sounds > 50


def test_over_https_the_greeting_goes_to_whom_an_authority_vouches_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    with (
        WhipServer(monkeypatch) as server,
        TlsFront(authority.vouched("localhost"), server.port) as front,
    ):
        stream = dataclasses.replace(STREAM, ca_file=str(authority.file))
        sink = streaming(f"whip+https://{KEY}@localhost:{front.port}/whip/live?a=b", stream)
        sink.open(SIZE_WH, FPS)
        Feeder(sink).send(30)
        sink.close()
        time.sleep(0.3)
    assert [first for first, _ in server.asked] == ["POST /whip/live?a=b HTTP/1.1", "DELETE /calls/1 HTTP/1.1"]
    assert server.asked[0][1]["authorization"] == f"Bearer {KEY}"
    assert len(server.numbers) >= 20


def test_over_https_nobody_else_is_told_the_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setattr(Address, "knock", lambda _address, _timeout_s: None)
    with (
        WhipServer(monkeypatch) as server,
        TlsFront(authority.vouched("localhost", by_itself=True), server.port) as front,
    ):
        error = refused(f"whip+https://{KEY}@localhost:{front.port}/whip/live")
    assert "refused the stream" in str(error)
    assert server.asked == []


def test_a_whip_server_that_refuses_is_told() -> None:
    asked: list[tuple[str, str]] = []

    class Refusing(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            offer = self.rfile.read(int(self.headers["Content-Length"])).decode()
            asked.append((self.headers["Content-Type"], offer))
            self.send_response(403)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with http.server.HTTPServer((HOST, 0), Refusing) as server:
        answering = threading.Thread(target=server.serve_forever, args=(0.05,))
        answering.start()
        error = refused(f"whip+http://{HOST}:{server.server_port}/whip/{KEY}")
        server.shutdown()
        answering.join()
    assert str(error) == f"whip+http://{HOST}:{server.server_port}: the server refused the stream"
    [(kind, offer)] = asked
    assert kind == "application/sdp"
    assert "H264/90000" in offer
    assert "OPUS/48000/2" in offer.upper()
