"""Pictures over loopback HTTP, read by OpenCV, by plain sockets and by a real browser."""

import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from facefusion_live.adapters.sinks import MjpegSink
from facefusion_live.domain import frame_counter
from facefusion_live.domain.errors import SinkOpenError
from facefusion_live.domain.ports import SinkState
from tests.adapters.clips import FPS, SIZE_WH, picture
from tests.adapters.frames import shown

WAIT_S = 10.0


class Playing:
    """A sink that is sent pictures on a thread of its own, as in a session."""

    def __init__(self) -> None:
        self.sink, self.sent, self._stop = MjpegSink(), 0, threading.Event()
        self.sink.open(SIZE_WH, FPS)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(1 / FPS):
            self.sink.send(shown(self.sent))
            self.sent += 1

    def until(self, there: Callable[[], bool]) -> None:
        deadline_s = time.monotonic() + WAIT_S
        while not there():
            assert time.monotonic() < deadline_s, self.sink.status()
            time.sleep(0.01)

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self.sink.close()


@pytest.fixture
def playing() -> Iterator[Playing]:
    playing = Playing()
    yield playing
    playing.close()


def look(url: str, count: int) -> list[int | None]:
    reader = cv2.VideoCapture(url, cv2.CAP_FFMPEG)
    numbers = []
    for _ in range(count):
        there, pixels = reader.read()
        assert there
        numbers.append(frame_counter.read(pixels))
    reader.release()
    return numbers


def test_two_readers_see_the_pictures_in_order_and_are_counted(playing: Playing) -> None:
    assert playing.sink.status().state is SinkState.PAUSED
    seen: list[list[int | None]] = []
    readers = [threading.Thread(target=lambda: seen.append(look(playing.sink.url, 20))) for _ in range(2)]
    for reader in readers:
        reader.start()
    playing.until(lambda: playing.sink.status().readers == 2)
    assert playing.sink.status().words.endswith("in use by 2")
    for reader in readers:
        reader.join(WAIT_S)
    for numbers in seen:
        assert numbers == sorted(numbers, key=lambda number: number or 0)
        assert len(set(numbers)) == 20
    playing.until(lambda: playing.sink.status().readers == 0)
    assert playing.sink.status().state is SinkState.PAUSED
    assert (playing.sink.status().bytes_out or 0) > 10_000


def test_a_reader_who_returns_sees_nothing_of_before(playing: Playing) -> None:
    look(playing.sink.url, 3)
    playing.until(lambda: playing.sink.status().readers == 0)
    time.sleep(0.3)
    before = playing.sent
    first, *_ = look(playing.sink.url, 1)
    assert first is not None
    assert first >= before


def test_a_slow_reader_slows_nobody_and_sees_the_newest(playing: Playing) -> None:
    host, port = playing.sink.url.removeprefix("http://").split("/")[0].split(":")
    token = playing.sink.url.rpartition("/")[2]
    with socket.create_connection((host, int(port))) as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.sendall(f"GET /{token} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        playing.until(lambda: playing.sink.status().readers == 1)
        begun_s, before = time.monotonic(), playing.sent
        numbers = look(playing.sink.url, 30)
        assert len(numbers) == 30
        assert (playing.sent - before) / (time.monotonic() - begun_s) > 0.7 * FPS
        # It never reads: closing must not wait for it.
        begun_s = time.monotonic()
        playing.close()
        assert time.monotonic() - begun_s < 2


@pytest.mark.parametrize("path", ["", "/", "/guess", "/{token}x"])
def test_whoever_does_not_know_the_token_sees_nothing(playing: Playing, path: str) -> None:
    root, _, token = playing.sink.url.rpartition("/")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(root + path.format(token=token), timeout=5)  # noqa: S310 (our own address)
    assert caught.value.code == 404
    caught.value.close()


def test_it_listens_on_this_machine_only(playing: Playing) -> None:
    server = playing.sink._server
    assert server is not None
    assert server.server_address[0] == "127.0.0.1"
    assert len(playing.sink.url.rpartition("/")[2]) >= 32
    assert playing.sink.url.rpartition("/")[2] not in playing.sink.status().words


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("http://0.0.0.0:8080", "served on this computer only"),
        ("http://192.168.1.2:8080", "served on this computer only"),
        ("http://127.0.0.1", "the port is missing"),
        ("http://127.0.0.1:port", "the port is none"),
        ("http://127.0.0.1:80000", "the port is none"),
        ("http://[::1", "served on this computer only"),
        ("http://127.0.0.1:8080/short", "the token in the address can be guessed"),
    ],
)
def test_what_is_asked_for_wrongly_is_told(spec: str, words: str) -> None:
    with pytest.raises(SinkOpenError, match=words) as caught:
        MjpegSink.parse(spec)
    assert caught.value.advice


def test_a_port_and_a_token_of_ones_own_are_kept() -> None:
    first = MjpegSink()
    first.open(SIZE_WH, FPS)
    port = int(first.url.split(":")[2].split("/")[0])
    taken = MjpegSink.parse(f"http://127.0.0.1:{port}")
    with pytest.raises(SinkOpenError, match="the port cannot be had") as caught:
        taken.open(SIZE_WH, FPS)
    assert caught.value.advice
    first.close()
    own = MjpegSink.parse(f"http://127.0.0.1:{port}/a-token-of-my-own")
    own.open(SIZE_WH, FPS)
    assert own.url == f"http://127.0.0.1:{port}/a-token-of-my-own"
    own.close()
    assert own.url == ""


def test_a_browser_shows_it(playing: Playing, tmp_path: Path) -> None:
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        pytest.skip("needs a browser: apt-get install chromium")
    page, shot = tmp_path / "page.html", tmp_path / "shot.png"
    page.write_text(f'<body style="margin:0"><img src="{playing.sink.url}">')
    command = [browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=320,400"]
    command += [f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=3000", f"--screenshot={shot}"]
    subprocess.run([*command, page.as_uri()], check=True, capture_output=True, timeout=60)
    seen = cv2.imread(str(shot))[: SIZE_WH[1], : SIZE_WH[0], ::-1].astype(int)
    number = frame_counter.read(seen.astype(np.uint8))
    assert number is not None
    assert np.abs(seen - picture(number)).mean() < 6
