"""Streams, against real servers: nginx with its RTMP module, and the ffmpeg program as RTSP and UDP receiver."""

import dataclasses
import itertools
import json
import logging
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from facefusion_live.adapters.sinks import StreamSink
from facefusion_live.adapters.sinks.addresses import Address
from facefusion_live.adapters.sinks.live_sound import Silence
from facefusion_live.domain import frame_counter
from facefusion_live.domain.errors import SinkError, SinkOpenError
from facefusion_live.domain.ports import SinkState
from facefusion_live.domain.settings import Settings, Stream
from tests.adapters.clips import FPS, SIZE_WH
from tests.adapters.frames import shown
from tests.adapters.sinks.servers import HOST, KEY, RtmpServer, free_port, receiver

STREAM = Stream(preset="ultrafast", bitrate_kbit=1500, key_frame_s=1.0, timeout_s=3.0, encoder="x264")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RtmpServer]:
    server = RtmpServer(tmp_path)
    yield server
    server.close()


def streaming(url: str, stream: Stream = STREAM) -> StreamSink:
    return StreamSink(url, stream, lambda: Silence(64_000))


class Feeder:
    """Sends numbered pictures at their pace, as the sink's thread would."""

    def __init__(self, sink: StreamSink) -> None:
        self.sink, self.sent, self.slowest_s = sink, 0, 0.0
        self.began_s = time.monotonic()

    def send(self, count: int, pixels: np.ndarray | None = None) -> None:
        for _ in range(count):
            due_s = self.began_s + self.sent / FPS
            time.sleep(max(0.0, due_s - time.monotonic()))
            begun_s = time.monotonic()
            self.sink.send(shown(self.sent, pixels=pixels))
            self.slowest_s = max(self.slowest_s, time.monotonic() - begun_s)
            self.sent += 1

    def send_until(self, state: SinkState, limit_s: float = 15.0) -> float:
        """How long it took."""
        begun_s = time.monotonic()
        while self.sink.status().state is not state:
            assert time.monotonic() - begun_s < limit_s, f"never {state}: {self.sink.status()}"
            self.send(1)
        return time.monotonic() - begun_s


def numbers_in(path: Path) -> list[int]:
    """Those of the pictures received; the first two are black and have none."""
    with av.open(str(path)) as film:
        numbers = [frame_counter.read(frame.to_ndarray(format="rgb24")) for frame in film.decode(video=0)]
    told = [number for number in numbers if number is not None]
    assert len(numbers) - len(told) <= 2
    return told


def probed(path: Path) -> dict[str, dict[str, str]]:
    """What ffprobe says, by kind of stream."""
    command = ["ffprobe", "-v", "error", "-show_streams", "-of", "json", str(path)]
    told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return {stream["codec_type"]: stream for stream in told["streams"]}


def test_a_server_gets_pictures_in_order_with_a_silent_track(server: RtmpServer) -> None:
    sink = streaming(server.url())
    sink.open(SIZE_WH, FPS)
    Feeder(sink).send(60)
    status = sink.status()
    assert status.state is SinkState.RUNNING
    assert status.words == f"rtmp://{HOST}:{server.port}, x264, 1500 kbit/s"
    assert (status.bytes_out or 0) > 10_000
    sink.close()
    time.sleep(0.3)
    [received] = server.received
    told = probed(received)
    assert (told["video"]["codec_name"], told["video"]["width"], told["video"]["height"]) == ("h264", *SIZE_WH)
    assert told["video"]["r_frame_rate"] in ("30/1", "30000/1001")
    assert (told["audio"]["codec_name"], told["audio"]["sample_rate"]) == ("aac", "48000")
    numbers = numbers_in(received)
    assert numbers == list(range(numbers[0], 60))
    assert len(numbers) >= 55


def test_a_server_that_dies_is_found_again_and_nothing_waits(server: RtmpServer) -> None:
    sink = streaming(server.url())
    sink.open(SIZE_WH, FPS)
    feeder = Feeder(sink)
    feeder.send(30)
    server.kill()
    feeder.send_until(SinkState.RECONNECTING)
    assert "the server is away" in sink.status().words
    feeder.send(60)
    before = sink.status().bytes_out or 0
    server.start()
    assert feeder.send_until(SinkState.RUNNING) < 3.0
    first = feeder.sent
    feeder.send(40)
    assert sink.status().words.endswith("lost 1×")
    assert (sink.status().bytes_out or 0) > before
    assert feeder.slowest_s < 1.0
    sink.close()
    time.sleep(0.3)
    numbers = numbers_in(server.received[-1])
    assert numbers == list(range(numbers[0], feeder.sent))
    assert first - 1 <= numbers[0] <= first + 5


def test_a_server_that_hangs_in_mid_stream_is_left_and_found_again(server: RtmpServer) -> None:
    sink = streaming(server.url())
    sink.open(SIZE_WH, FPS)
    feeder = Feeder(sink)
    feeder.send(60)
    server.hang(on=True)
    # Our patience, and as long as the two systems between us take what the server does not (0.4 MB here).
    assert feeder.send_until(SinkState.RECONNECTING) < STREAM.timeout_s + 3.0
    feeder.send(30)
    server.hang(on=False)
    assert feeder.send_until(SinkState.RUNNING) < 3.0
    first = feeder.sent
    feeder.send(30)
    assert feeder.slowest_s < 1.0
    assert sink.status().words.endswith("lost 1×")
    sink.close()
    time.sleep(0.3)
    numbers = numbers_in(server.received[-1])
    assert numbers == list(range(numbers[0], feeder.sent))
    assert first - 1 <= numbers[0] <= first + 5


def test_a_server_that_hangs_holds_up_no_end(server: RtmpServer) -> None:
    sink = streaming(server.url())
    sink.open(SIZE_WH, FPS)
    feeder = Feeder(sink)
    feeder.send(30)
    server.hang(on=True)
    feeder.send(60)
    begun_s = time.monotonic()
    sink.close()
    assert time.monotonic() - begun_s < 2.0


def test_a_line_that_is_too_slow_costs_pictures_and_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Address, "knock", lambda _address, _timeout_s: None)
    monkeypatch.setattr("facefusion_live.adapters.sinks.relay._command", lambda: [sys.executable, "-c", _SIPPING])
    sink = streaming(f"rtmp://{HOST}/live/{KEY}", dataclasses.replace(STREAM, bitrate_kbit=4000))
    sink.open(SIZE_WH, FPS)
    feeder = Feeder(sink)
    rng = np.random.default_rng(1)
    for _ in range(60):
        feeder.send(1, rng.integers(0, 255, (SIZE_WH[1], SIZE_WH[0], 3), np.uint8))
    assert "too slow" in sink.status().words
    assert sink.status().state is SinkState.RUNNING
    assert feeder.slowest_s < 1.0
    begun_s = time.monotonic()
    sink.close()
    assert time.monotonic() - begun_s < 2.0


_SIPPING = "import os, time; print('ok', flush=True)\nwhile os.read(0, 1024): time.sleep(0.02)"
"""A relay whose line takes 50 KiB a second."""


def refused(url: str, stream: Stream = STREAM) -> SinkOpenError:
    with pytest.raises(SinkOpenError) as caught:
        streaming(url, stream).open(SIZE_WH, FPS)
    told = f"{caught.value} {caught.value.advice}"
    assert KEY not in told
    assert caught.value.advice
    assert "\n" not in told
    assert caught.value.__cause__ is None
    return caught.value


def test_a_wrong_key_is_told(server: RtmpServer) -> None:
    error = refused(server.url(key=f"{KEY[:-1]}"))
    assert str(error) == f"rtmp://{HOST}:{server.port}: the server is there but did not take the stream"
    assert error.advice == "Check application and stream key."


def test_a_wrong_application_is_told(server: RtmpServer) -> None:
    assert "did not take the stream" in str(refused(server.url(app="dead")))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("rtmp://{host}:{port}/live/{key}", "nobody listens there"),
        ("rtsp://user:{key}@{host}:{port}/path", "nobody listens there"),
        ("whip+http://{host}:{port}/whip?token={key}", "nobody listens there"),
        ("rtmp://nowhere.invalid/live/{key}", "rtmp://nowhere.invalid: the host name is unknown"),
        ("udp://nowhere.invalid:1234", "udp://nowhere.invalid:1234: the host name is unknown"),
        ("rtmp://{host}:{port}/live", "the stream key is missing"),
        ("rtmp:///live/{key}", "host or port are missing"),
        ("rtmp://{host}:99999999/live/{key}", "the port is none"),
        ("udp://{host}", "host or port are missing"),
        ("srt://{host}:{port}?passphrase={key}", "this program's FFmpeg has no SRT"),
    ],
)
def test_what_cannot_be_reached_is_told_without_its_key(url: str, words: str) -> None:
    assert words in str(refused(url.format(host=HOST, port=free_port(), key=KEY)))


def test_a_server_without_tls_is_told(server: RtmpServer) -> None:
    begun_s = time.monotonic()
    url = server.url().replace("rtmp://", "rtmps://")
    error = refused(url)
    assert any(words in str(error) for words in ("does not speak TLS", "no answer within 3 s"))
    assert time.monotonic() - begun_s < 8


def test_a_server_that_says_nothing_is_not_waited_for() -> None:
    with socket.create_server((HOST, 0)) as deaf:
        begun_s = time.monotonic()
        error = refused(f"rtmp://{HOST}:{deaf.getsockname()[1]}/live/{KEY}")
    assert "no answer within 3 s" in str(error)
    assert time.monotonic() - begun_s < 8


def test_a_key_is_in_no_log_and_no_status(server: RtmpServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "facefusion_live")
    logging.getLogger("facefusion_live").propagate = True
    sink = streaming(server.url())
    assert KEY not in sink.status().words
    sink.open(SIZE_WH, FPS)
    feeder = Feeder(sink)
    feeder.send(5)
    server.kill()
    feeder.send_until(SinkState.RECONNECTING)
    feeder.send(40)
    assert KEY not in sink.status().words
    sink.close()
    assert KEY not in caplog.text
    assert "the connection broke" in caplog.text
    assert KEY not in repr(sink._address)


def test_udp_carries_a_transport_stream(tmp_path: Path) -> None:
    port, path = free_port(socket.SOCK_DGRAM), tmp_path / "received.ts"
    with receiver(f"udp://{HOST}:{port}?fifo_size=100000&timeout=1000000", path, "-analyzeduration", "500000"):
        time.sleep(0.5)
        sink = streaming(f"udp://{HOST}:{port}")
        sink.open(SIZE_WH, FPS)
        Feeder(sink).send(120)
        sink.close()
        time.sleep(1.2)
    told = probed(path)
    assert (told["video"]["codec_name"], told["audio"]["codec_name"]) == ("h264", "aac")
    numbers = numbers_in(path)
    assert len(numbers) >= 60
    # What is lost on the way is lost, and shows as an older picture: a busy machine may drop a packet.
    assert sum(a < b for a, b in itertools.pairwise(numbers)) >= 0.9 * len(numbers)


def test_an_rtsp_server_takes_the_stream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Whoever knocks takes the only place of a listening ffmpeg.
    monkeypatch.setattr(Address, "knock", lambda _address, _timeout_s: None)
    port, path = free_port(), tmp_path / "received.mkv"
    with receiver(f"rtsp://{HOST}:{port}/live", path, "-rtsp_flags", "listen"):
        time.sleep(1.0)
        sink = streaming(f"rtsp://{HOST}:{port}/live")
        sink.open(SIZE_WH, FPS)
        Feeder(sink).send(90)
        sink.close()
    assert probed(path)["video"]["codec_name"] == "h264"
    numbers = numbers_in(path)
    assert numbers == list(range(numbers[0], 90))


def test_sending_outside_is_an_error() -> None:
    with pytest.raises(SinkError, match="not open"):
        streaming(f"rtmp://{HOST}/live/{KEY}").send(shown(0))


def test_an_encoder_that_does_not_work_here_is_refused(server: RtmpServer) -> None:
    with pytest.raises(SinkOpenError, match="the encoder videotoolbox does not work on this computer") as caught:
        StreamSink(server.url(), Stream(encoder="videotoolbox")).open(SIZE_WH, FPS)
    assert "doctor" in caught.value.advice


def test_the_settings_name_every_encoder() -> None:
    from facefusion_live.adapters.sinks.encoders import BY_NAME
    from facefusion_live.domain.parameter import Choice
    from facefusion_live.domain.settings import parameter

    limits = parameter("stream.encoder").limits
    assert isinstance(limits, Choice)
    assert set(limits.options) == {"auto", *BY_NAME}
    assert Settings().stream.encoder == "auto"
