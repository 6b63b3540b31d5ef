"""Network streams, from real senders on loopback. No test needs the network beyond it."""

import errno
import io
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from facefusion_live.adapters.capture import MediaSource, open_source
from facefusion_live.domain import frame_counter
from facefusion_live.domain.errors import CaptureLostError, CaptureOpenError
from facefusion_live.domain.ports import Clock, FrameSource
from facefusion_live.domain.settings import Capture
from tests.adapters.capture.senders import (
    HOST,
    RtspServer,
    SilentServer,
    UdpSender,
    WebServer,
    free_port,
    publish_rtmp,
)
from tests.adapters.clips import DEMO_CLIP, FPS, SIZE_WH, Clip, picture, read_all
from tests.adapters.clocks import RealClock, TickingClock

PATIENT = Capture(open_timeout_s=30, read_timeout_s=20)
HASTY = Capture(open_timeout_s=1.5, read_timeout_s=0.5)
LONG_S = 15
"""Far above what a timeout of HASTY may take, far below what a hang takes."""


def _open(url: str, capture: Capture = PATIENT, clock: Clock | None = None) -> FrameSource:
    return open_source(url, capture, demo_clip=DEMO_CLIP, clock=clock or RealClock(), offline=False)


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Clip(frames=30, audio="mp2").write(tmp_path_factory.mktemp("stream") / "clip.ts")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Clip(frames=30, audio="aac").write(tmp_path_factory.mktemp("film") / "clip.mp4", movflags="faststart")


def _assert_live(source: FrameSource, pictures: int) -> None:
    """Pictures come, whole and in order."""
    assert source.size_wh == SIZE_WH
    assert (source.paced, source.frame_count) == (True, None)
    pixels = np.empty((SIZE_WH[1], SIZE_WH[0], 3), np.uint8)
    infos, numbers = [], []
    for _ in range(pictures):
        infos.append(source.read_into(pixels))
        numbers.append(frame_counter.read(pixels))
    times = [info.media_s for info in infos if info is not None]
    assert len(times) == pictures
    assert 0 <= times[0] <= 1
    assert all(later > earlier for earlier, later in pairwise(times))
    assert set(numbers) <= set(range(30))
    assert len(set(numbers)) > 20


def _assert_lost(source: FrameSource, within_s: float = LONG_S) -> CaptureLostError:
    """What has arrived may still be read; then, soon, the loss is told."""
    pixels = np.empty((*source.size_wh[::-1], 3), np.uint8)
    begun = time.monotonic()
    with pytest.raises(CaptureLostError) as caught:  # noqa: PT012 (how many pictures are on their way is not known)
        while True:
            source.read_into(pixels)
    assert time.monotonic() - begun < within_s
    return caught.value


class TestUdp:
    def test_pictures_come_and_silence_is_noticed(self, stream: Path) -> None:
        with UdpSender(stream) as sender, _open(sender.url) as source:
            assert source.name == "udp"
            _assert_live(source, 60)
        with UdpSender(stream) as sender, _open(sender.url, Capture(open_timeout_s=30, read_timeout_s=0.5)) as source:
            sender.fall_silent()
            _assert_lost(source)

    def test_nobody_sends(self) -> None:
        _assert_refused(f"udp://{HOST}:{free_port(socket.SOCK_DGRAM)}", "no picture arrived within 1.5 s")


def test_a_connection_that_breaks_is_lost(stream: Path) -> None:
    def broken() -> Iterator[None]:
        raise ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")
        yield

    with WebServer(stream.parent) as server, _open(f"{server.url}/endless/{stream.name}") as source:
        assert isinstance(source, MediaSource)
        source._decoder._packets = broken()  # pyright: ignore[reportAttributeAccessIssue]
        assert str(_assert_lost(source)).endswith("clip.ts: the connection broke: Connection reset by peer")


class TestHttp:
    def test_a_film_is_read_whole_and_sets_no_pace(self, film: Path) -> None:
        with WebServer(film.parent) as server, _open(f"{server.url}/{film.name}") as source:
            assert (source.name, source.paced, source.frame_count, source.fps) == ("http", False, 30, FPS)
            assert [number for _, number in read_all(source)] == list(range(30))

    def test_a_transport_stream_without_end_is_live(self, stream: Path) -> None:
        with WebServer(stream.parent) as server, _open(f"{server.url}/endless/{stream.name}") as source:
            _assert_live(source, 60)

    def test_a_network_camera_with_jpeg_pictures(self, tmp_path: Path) -> None:
        jpegs = [cv2.imencode(".jpg", picture(k)[..., ::-1])[1].tobytes() for k in range(30)]
        with WebServer(tmp_path, jpegs) as server, _open(f"{server.url}/mjpeg/x") as source:
            _assert_live(source, 60)

    def test_a_server_that_stalls_is_lost(self, stream: Path) -> None:
        with WebServer(stream.parent) as server, _open(f"{server.url}/stall/{stream.name}", HASTY) as source:
            assert str(_assert_lost(source)) == f"{server.url}/stall/clip.ts: no picture for 0.5 s"

    def test_a_stream_whose_packets_give_no_picture_in_time_is_lost(self, tmp_path: Path) -> None:
        # The packets keep their heads, and nothing behind. The clock is turned so that the first takes too long.
        sound = Clip(frames=30).write(tmp_path / "clip.ts").read_bytes()
        hollow = b"".join(sound[at : at + 40] + b"\xff" * 148 for at in range(0, len(sound), 188))
        (tmp_path / "clip.ts").write_bytes(sound + hollow * 3)
        clock = TickingClock(tick_s=0)
        with WebServer(tmp_path) as server, _open(f"{server.url}/endless/clip.ts", PATIENT, clock) as source:
            clock.tick_s = 100
            assert str(_assert_lost(source)) == f"{server.url}/endless/clip.ts: no picture for 20 s"

    @pytest.mark.parametrize(
        ("path", "reason"),
        [
            ("status/404", "the server has nothing at this address"),
            ("status/401", "the server wants a user and a password"),
            ("status/500", "the server refused"),
            ("notes.txt", "there is no video in it"),
            ("noise.bin", "what is sent there is not a video"),
        ],
    )
    def test_what_a_server_refuses(self, tmp_path: Path, path: str, reason: str) -> None:
        (tmp_path / "notes.txt").write_bytes(b"hello " * 100_000)
        (tmp_path / "noise.bin").write_bytes(np.random.default_rng(0).bytes(100_000))
        with WebServer(tmp_path) as server:
            _assert_refused(f"{server.url}/{path}", reason)


class TestRtsp:
    def test_pictures_come(self, stream: Path) -> None:
        with RtspServer(stream) as server, _open(server.url) as source:
            assert source.name == "rtsp"
            _assert_live(source, 60)

    def test_silence_is_noticed(self, stream: Path) -> None:
        with RtspServer(stream) as server, _open(server.url, Capture(open_timeout_s=30, read_timeout_s=0.5)) as source:
            server.silent.set()
            _assert_lost(source)

    def test_a_connection_cut_is_noticed(self, stream: Path) -> None:
        with RtspServer(stream) as server, _open(server.url) as source:
            server.hang_up.set()
            assert str(_assert_lost(source)).startswith(f"{server.url}: the ")

    def test_user_and_password_are_used_and_never_shown(self, stream: Path) -> None:
        with RtspServer(stream, password="secret") as server:  # noqa: S106 (of this test)
            _assert_refused(server.url, "the server wants a user and a password")
            with _open(server.url.replace("//", "//me:secret@")) as source:
                server.hang_up.set()
                assert "secret" not in str(_assert_lost(source))


class TestRtmp:
    @pytest.fixture
    def server(self, tmp_path: Path) -> Iterator[str]:
        nginx = shutil.which("nginx") or "/usr/sbin/nginx"
        module = Path("/usr/lib/nginx/modules/ngx_rtmp_module.so")
        if not (Path(nginx).exists() and module.exists()):
            pytest.skip("needs an RTMP server: apt-get install nginx libnginx-mod-rtmp")
        port, settings = free_port(), tmp_path / "nginx.conf"
        settings.write_text(
            f"load_module {module}; daemon off; master_process off; pid {tmp_path}/pid; error_log {tmp_path}/log;\n"
            f"events {{ worker_connections 64; }}\n"
            f"rtmp {{ server {{ listen {HOST}:{port}; application live {{ live on; }} }} }}\n"
        )
        process = subprocess.Popen([nginx, "-c", str(settings), "-p", str(tmp_path)], stderr=subprocess.DEVNULL)
        try:
            _wait_for_port(port)
            yield f"rtmp://{HOST}:{port}/live/camera"
        finally:
            process.terminate()
            process.wait(20)

    def test_pictures_come_and_an_ended_broadcast_is_noticed(self, server: str, film: Path) -> None:
        stopped = threading.Event()
        sender = threading.Thread(target=publish_rtmp, args=(server, film, stopped), daemon=True)
        sender.start()
        try:
            with _open(server, Capture(open_timeout_s=30, read_timeout_s=2)) as source:
                assert source.name == "rtmp"
                _assert_live(source, 45)
                stopped.set()
                _assert_lost(source)
        finally:
            stopped.set()
            sender.join(20)


@pytest.mark.parametrize("scheme", ["http", "rtsp", "rtmp"])
class TestNobodyThere:
    def test_refused(self, scheme: str) -> None:
        _assert_refused(f"{scheme}://{HOST}:{free_port()}/live/x", "the connection was refused")

    def test_silent(self, scheme: str) -> None:
        with SilentServer() as server:
            _assert_refused(f"{scheme}://{HOST}:{server.port}/live/x", "no picture arrived within 1.5 s")

    def test_unknown_host(self, scheme: str) -> None:
        # .invalid never exists (RFC 6761); with no network at all the resolver says so at once.
        _assert_refused(f"{scheme}://no-such-host.invalid/live/x", "the host name is unknown")


@pytest.mark.parametrize("url", ["srt://127.0.0.1:1", "gopher://127.0.0.1/x"])
def test_an_unknown_kind_of_address(url: str) -> None:
    _assert_refused(url, "this kind of address is not understood")


def test_secrets_in_an_address_stay_secret() -> None:
    url = f"http://me:secret@{HOST}:{free_port()}/live?token=secret#secret"
    with pytest.raises(CaptureOpenError) as caught:
        _open(url, HASTY)
    assert "secret" not in str(caught.value) + caught.value.advice
    assert "/live:" in str(caught.value)


def test_a_live_stream_that_changes_its_size_is_lost(tmp_path: Path) -> None:
    both = io.BytesIO()
    for size_wh in (SIZE_WH, (640, 360)):
        path = Clip(frames=30, size_wh=size_wh).write(tmp_path / f"{size_wh[0]}.ts")
        both.write(path.read_bytes())
    (tmp_path / "both.ts").write_bytes(both.getvalue())
    with WebServer(tmp_path) as server, _open(f"{server.url}/endless/both.ts") as source:
        assert "changed its size to 640x360" in str(_assert_lost(source))


def _assert_refused(url: str, reason: str) -> None:
    begun = time.monotonic()
    with pytest.raises(CaptureOpenError) as caught:
        _open(url, HASTY)
    assert str(caught.value).endswith(f": {reason}")
    assert caught.value.advice
    assert time.monotonic() - begun < LONG_S


def _wait_for_port(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            socket.create_connection((HOST, port), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError(f"nobody listens on {port}")
