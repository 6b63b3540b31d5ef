"""Every output at once, measured: a PipeWire reader, an RTMP server and a recording, fed by the mesh engine.

Usage: python -m tools.measure_outputs [--seconds 20] [--no-pipewire] [--kill-server]

Starts an RTMP server and a PipeWire session of its own. Prints what each output got per second, the latency of the
loop, and, with --kill-server, how long after the server is back the stream is. Run it on an idle machine. The reader
needs the base plug-ins of GStreamer.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import av

from facefusion_live.app import wiring
from facefusion_live.app.benchmark import machine
from facefusion_live.domain.ports import SinkState
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.session import LiveSession

INPUT = "synthetic:1280x720:1x200"
_POLL_S = 0.02


def main() -> int:
    """Measure and print. Returns 0 when every output got at least 29 pictures a second."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--no-pipewire", action="store_true")
    parser.add_argument("--kill-server", action="store_true")
    wanted = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        told = _measured(stack, folder, wanted)
    print(json.dumps(told | {"machine": machine()}, indent=1))
    return 0 if min(told["fps"].values()) >= 29 else 1


def _measured(stack: ExitStack, folder: Path, wanted: argparse.Namespace) -> dict[str, Any]:
    from tests.adapters.sinks.servers import RtmpServer  # noqa: PLC0415 (the tests' own far ends)
    from tools.peers.pipewire import PipeWireSession  # noqa: PLC0415 (Linux only)

    os.environ["FACEFUSION_LIVE_HOME"] = str(folder / "home")
    server = RtmpServer(folder)
    stack.callback(server.close)
    sinks = [server.url()]
    if not wanted.no_pipewire:
        session_of_its_own = stack.enter_context(PipeWireSession())
        os.environ.update(session_of_its_own.env)
        sinks.append("virtual-camera:pipewire")
    request = wiring.Request(
        sources=("ada",), consent=None, input=INPUT, output=folder / "out.mp4", states=None,
        engine="mesh", settings=Settings(), offline=False, frame_limit=None, sinks=tuple(sinks),
    )  # fmt: skip
    session = wiring.open_session(request).session
    session.start()
    try:
        reader = None if wanted.no_pipewire else stack.enter_context(Reader(session_of_its_own.env, folder))
        time.sleep(3)  # nets are warm, the reader is there
        accident = _Accident(server, session) if wanted.kill_server else None
        before, begun_s = counts(session), time.monotonic()
        time.sleep(wanted.seconds)
        seconds, after = time.monotonic() - begun_s, counts(session)
        read_fps = None if reader is None else reader.fps()
        report = session.report()
    finally:
        session.stop()
    fps = {name: round((after[name] - before[name]) / seconds, 2) for name in after}
    if read_fps is not None:
        fps["PipeWire reader"] = read_fps
    told: dict[str, Any] = {"fps": fps, "recorded_fps": _fps_of(folder / "out.mp4"), "dropped": report.dropped}
    told["latency_ms"] = {stage: times._asdict() for stage, times in report.latency_ms.items()}
    told["outputs"] = {name: status.words for name, status in report.outputs.items()}
    if accident is not None:
        told["reconnected_s"] = accident.result()
    return told


def counts(session: LiveSession) -> dict[str, int]:
    """Pictures that each output has taken so far."""
    report = session.report()
    return {name: report.frames_out - report.dropped[name] for name in report.outputs}


class Reader:
    """The GStreamer program as a reader of the virtual camera, which counts what it gets."""

    def __init__(self, env: dict[str, str], folder: Path) -> None:
        self._log = folder / "reader.log"
        self._env = env

    def __enter__(self) -> Self:
        # One byte a picture: only counted.
        words = ["gst-launch-1.0", "-q", "pipewiresrc", "!", "videoconvert", "!", "videoscale", "!"]
        words += [
            "video/x-raw,format=GRAY8,width=16,height=16",
            "!",
            "filesink",
            f"location={self._log}",
            "buffer-mode=2",
        ]
        self._process = subprocess.Popen(words, env=self._env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._begun_s = self._begun = 0.0
        threading.Timer(3.0, self._begin).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()

    def fps(self) -> float:
        """Since it has been reading for three seconds."""
        return round((self._taken() - self._begun) / (time.monotonic() - self._begun_s), 2)

    def _begin(self) -> None:
        self._begun_s, self._begun = time.monotonic(), self._taken()

    def _taken(self) -> float:
        return self._log.stat().st_size / 256 if self._log.exists() else 0.0


class _Accident:
    """Kills the server after two seconds, starts it again three seconds later, and waits for the stream."""

    def __init__(self, server: Any, session: LiveSession) -> None:  # noqa: ANN401 (the tests')
        self._server, self._session = server, session
        self._taken_s: float | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def result(self) -> float | None:
        """Seconds from the server's return to the stream's; None where it did not come."""
        self._thread.join()
        return self._taken_s

    def _run(self) -> None:
        time.sleep(2)
        self._server.kill()
        time.sleep(3)
        self._server.start()
        begun_s = time.monotonic()
        while time.monotonic() - begun_s < 30:
            if self._session.outputs["stream"].state is SinkState.RUNNING:
                self._taken_s = round(time.monotonic() - begun_s, 2)
                return
            time.sleep(_POLL_S)


def _fps_of(path: Path) -> float:
    """Of a film: pictures per second of it."""
    with av.open(str(path)) as film:
        times = [float(frame.time or 0) for frame in film.decode(video=0)]
    return round((len(times) - 1) / (times[-1] - times[0]), 2)


if __name__ == "__main__":
    sys.exit(main())
