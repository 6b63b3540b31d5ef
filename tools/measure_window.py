"""Measure the window: how soon it swaps, what it costs while idle, and whether the outputs keep their rate.

    python -m tools.measure_window [--seconds 10] [--parts start idle auto gl photos outputs demo] [--json FILE]

Needs Xvfb and xdotool; for the outputs (a stream, a recording and a camera that is read, all at once) nginx with its
RTMP module, PipeWire and GStreamer, too: returns 1 where one of them gets less than 29 pictures a second, or the
picture in the window less than 10. Start, end and idle cost are those of the program as a user starts it, seen from
outside; rates are counted inside, by the same program, once in sight, hidden, minimised and covered, and after OpenGL
was lost; while a folder of 200 photos comes in; and with all outputs, of a still face and of the demo clip.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[1]
_PARTS = ("start", "idle", "auto", "gl", "photos", "outputs", "demo")
_PHOTOS, _PHOTO_WH = 200, (2400, 1800)
_OUTPUT_FPS, _SHOWN_FPS = 29.0, 10.0
_PATIENCE_S = 60.0
_POLL_S = 0.01


def main() -> int:
    """Run the tool; returns the exit code."""
    parser = argparse.ArgumentParser(description="How quick and how costly the window is.")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each rate and of the idle cost")
    parser.add_argument("--parts", nargs="+", choices=_PARTS, default=_PARTS, help="measure only these")
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    parser.add_argument("--inside", choices=_PARTS[2:], help="only count rates, on the screen that is there")
    wanted = parser.parse_args()
    if wanted.inside is not None:
        ways = {
            "outputs": _with_outputs,
            "demo": partial(_with_outputs, spec="synthetic"),
            "photos": _while_photos_come,
        }
        count = ways.get(wanted.inside, partial(_rates, wanted.inside))
        print(json.dumps(count(wanted.seconds)))
        return 0
    figures: dict[str, Any] = {"cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1)}
    with tempfile.TemporaryDirectory() as home, screen() as variables:
        variables |= {"FACEFUSION_LIVE_HOME": home}
        for part in wanted.parts:
            if part == "start":
                _demo(variables)  # warms the disk
                figures |= _demo(variables)
            elif part == "idle":
                figures["idle_cpu_percent"] = _idle(variables, wanted.seconds)
            else:
                figures[f"rates_{part}"] = _count_inside(part, wanted.seconds, variables)
    text = json.dumps(figures, indent=2)
    print(text)
    if wanted.json is not None:
        wanted.json.write_text(f"{text}\n", "utf-8")
    return 0 if all(_is_enough(figures.get(f"rates_{part}")) for part in ("outputs", "demo")) else 1


def _is_enough(rates: dict[str, Any] | None) -> bool:
    """Whether the outputs, if they were counted, kept up beside the window."""
    return rates is None or (min(rates["outputs"].values()) >= _OUTPUT_FPS and rates["shown_fps"] >= _SHOWN_FPS)


# --- from outside ---------------------------------------------------------------------------------------------------


@contextmanager
def screen() -> Generator[dict[str, str]]:
    """A screen of our own; gives the variables that lead to it."""
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-noreset"]
    with subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL) as server:
        os.close(writing)
        with open(reading, encoding="ascii") as told:  # noqa: PTH123 (a number of a pipe)
            number = told.readline().strip()
        variables = {"DISPLAY": f":{number}", "QT_XCB_GL_INTEGRATION": "xcb_egl", "PYOPENGL_PLATFORM": "egl"}
        try:
            yield dict(os.environ) | variables
        finally:
            server.terminate()


def _demo(variables: dict[str, str]) -> dict[str, float]:
    """Seconds from the start of `demo` until its title says LIVE, and from the wish to close it until it has ended."""
    begun_s = time.monotonic()
    with _program(["demo"], variables) as program:
        _until(lambda: _window("^LIVE – ", variables), program)
        live_s = time.monotonic() - begun_s
        time.sleep(2.0)
        closed_s = time.monotonic()
        program.terminate()
        program.wait(_PATIENCE_S)
        ended_s = time.monotonic() - closed_s
    return {"first_swapped_frame_s": round(live_s, 2), "end_while_live_s": round(ended_s, 2)}


def _idle(variables: dict[str, str], seconds: float) -> float:
    """Share of one core that the window costs while nothing runs, in percent."""
    with _program([], variables) as program:
        _until(lambda: _window("^OFF AIR – ", variables), program)
        time.sleep(4.0)  # nets and thumbnails are loaded
        process = psutil.Process(program.pid)
        before = sum(process.cpu_times()[:2])
        time.sleep(seconds)
        spent_s = sum(process.cpu_times()[:2]) - before
        program.terminate()
        program.wait(_PATIENCE_S)
    return round(100 * spent_s / seconds, 2)


@contextmanager
def _program(words: list[str], variables: dict[str, str]) -> Generator["subprocess.Popen[bytes]"]:
    with subprocess.Popen([sys.executable, "-m", "facefusion_live", *words], cwd=ROOT, env=variables) as program:
        try:
            yield program
        finally:
            if program.poll() is None:
                program.kill()


def _window(title: str, variables: dict[str, str]) -> bool:
    """Whether there is a window of this title."""
    search = ["xdotool", "search", "--onlyvisible", "--name", title]
    return subprocess.run(search, env=variables, capture_output=True, check=False).returncode == 0


def _until(there: Callable[[], bool], program: "subprocess.Popen[bytes]") -> None:
    deadline_s = time.monotonic() + _PATIENCE_S
    while not there():
        if program.poll() is not None or time.monotonic() > deadline_s:
            raise TimeoutError("the window did not come that far")
        time.sleep(_POLL_S)


def _count_inside(backend: str, seconds: float, variables: dict[str, str]) -> dict[str, Any]:
    command = [sys.executable, "-m", "tools.measure_window", "--inside", backend, "--seconds", str(seconds)]
    done = subprocess.run(command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, check=True)
    counted: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return counted


# --- inside ---------------------------------------------------------------------------------------------------------


def _rates(backend: str, seconds: float) -> dict[str, Any]:
    """Frames per second out and shown, in sight and out of it; with "gl" also after OpenGL was lost."""
    inside = Inside(backend, seconds)
    window = inside.window
    figures: dict[str, Any] = {"in_sight": inside.count(), "latency_ms": inside.latency_ms()}
    window.hide()
    figures["hidden"] = inside.count()
    window.show()
    window.showMinimized()
    figures["minimised"] = inside.count()
    window.showNormal()
    with inside.covered():
        figures["covered"] = inside.count()
    figures["backend"] = inside.studio.state().backend
    if backend == "gl":
        _lose_gl()
        figures["after_gl_was_lost"] = inside.count()
        figures["backend_then"] = inside.studio.state().backend
    figures["leaks"] = inside.studio.state().leaks
    window.close()
    return figures


def _with_outputs(seconds: float, spec: str = "") -> dict[str, Any]:
    """Frames per second shown, and of each output: a stream, a recording and a camera that is read, all at once.

    Args:
        seconds: How long.
        spec: The input; a still face where none is given.
    """
    from tests.adapters.sinks.servers import RtmpServer  # noqa: PLC0415 (the tests' own far ends)
    from tools.measure_outputs import INPUT, Reader  # noqa: PLC0415
    from tools.peers.pipewire import PipeWireSession  # noqa: PLC0415 (Linux only)

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = RtmpServer(folder)
        stack.callback(server.close)
        around = stack.enter_context(PipeWireSession())
        os.environ.update(around.env)
        inside = Inside("auto", seconds, spec or INPUT)
        stack.callback(inside.window.close)
        inside.studio.start_recording(folder / "out.mp4")
        inside.add_outputs(server.url(), "virtual-camera:pipewire")
        reader = stack.enter_context(Reader(around.env, folder))
        return inside.count_outputs(reader.fps)


def _while_photos_come(seconds: float) -> dict[str, Any]:
    """Frames per second out while a folder of photos comes in: of all of it, and of its worst second."""
    from facefusion_live.app.portraits import Consent  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "everybody"
        _make_photos(folder)
        inside = Inside("auto", seconds)
        before = inside.count()
        studio = inside.studio
        coming = studio.library.add([folder], Consent.LICENSED)
        rates = inside.count_seconds(until=coming.done)
        told = coming.result()
        inside.window.close()
    entered = sum(each.person_id is not None for each in told)
    return {
        "before": before,
        "entered": entered,
        "took_s": len(rates),
        "out_fps": round(sum(rates) / len(rates), 1),
        "worst_second_fps": min(rates),
        "seconds_below_28": sum(rate < 28 for rate in rates),
    }


def _make_photos(folder: Path) -> None:
    """Photos as a phone takes them: no two alike, one face in each."""
    import cv2  # noqa: PLC0415

    folder.mkdir()
    faces = [cv2.imread(str(file)) for file in sorted((ROOT / "resources" / "avatars").glob("*.jpg"))]
    for index in range(_PHOTOS):
        face = faces[index % len(faces)]
        height, width = face.shape[:2]
        shift = index // len(faces)
        moved = cv2.copyMakeBorder(face, 0, 0, width // 3 + shift, width // 3 - shift, cv2.BORDER_REPLICATE)
        cv2.imwrite(str(folder / f"{index:03}.jpg"), cv2.resize(moved[:height], _PHOTO_WH))


class Inside:
    """The real window on the demo clip, live, in this process."""

    def __init__(self, backend: str, seconds: float, spec: str = "synthetic") -> None:
        from PySide6.QtWidgets import QApplication  # noqa: PLC0415 (the screen is known only now)

        from facefusion_live.app.environment import Home  # noqa: PLC0415
        from facefusion_live.app.studio import open_studio  # noqa: PLC0415
        from facefusion_live.gui.layout import Memory  # noqa: PLC0415
        from facefusion_live.gui.theme import Theme  # noqa: PLC0415
        from facefusion_live.gui.window import MainWindow  # noqa: PLC0415
        from facefusion_live.gui.words import Words  # noqa: PLC0415

        self._app, self._seconds, self._shown = QApplication(["measure"]), seconds, 0
        home = Home.from_environment()
        self.studio = open_studio(home, {"render.backend": backend}, remember=False)
        theme, words = Theme(self._app, "dark"), Words(self._app, "en")
        self.window = MainWindow(self.studio, Memory(home), theme, words, gl=True if backend == "gl" else None)
        self.window.bridge.view_ready.connect(self._count_shown)
        self.window.setGeometry(0, 0, 1280, 800)
        self.window.show()
        self.window.begin("ada", spec, start=True)
        while self.studio.state().gate.value != "LIVE":
            self.turn(0.02)

    def count(self) -> dict[str, float]:
        """Frames per second of the next while."""
        self.turn(1.5)
        session = self.studio._director.on_air.session  # noqa: SLF001 # type: ignore[union-attr]
        begun_s, emitted, self._shown = time.monotonic(), session.report().frames_out, 0
        self.turn(self._seconds)
        took_s, out = time.monotonic() - begun_s, session.report().frames_out - emitted
        return {"out_fps": round(out / took_s, 1), "shown_fps": round(self._shown / took_s, 1)}

    def count_seconds(self, until: Callable[[], bool]) -> list[float]:
        """Frames per second out, second by second, until something is so."""
        session, rates = self.studio._director.on_air.session, []  # noqa: SLF001 # type: ignore[union-attr]
        while not until():
            begun_s, emitted = time.monotonic(), session.report().frames_out
            self.turn(1.0)
            out = session.report().frames_out - emitted
            rates.append(round(out / (time.monotonic() - begun_s), 1))
        return rates

    def add_outputs(self, *specs: str) -> None:
        """Add some to the session, and wait until they and the recording run."""
        for spec in specs:
            self.studio.add_output(spec)
        deadline_s = time.monotonic() + _PATIENCE_S
        while not self._run(len(specs)):
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"not all outputs run: {self.studio.state().outputs}")
            self.turn(0.02)

    def count_outputs(self, read_fps: Callable[[], float]) -> dict[str, Any]:
        """As `count`, and what each output got, and who reads the camera."""
        from tools.measure_outputs import counts  # noqa: PLC0415

        self.turn(3.0)  # the reader is there
        session = self.studio._director.on_air.session  # noqa: SLF001 # type: ignore[union-attr]
        before, begun_s, self._shown = counts(session), time.monotonic(), 0
        self.turn(self._seconds)
        took_s, after = time.monotonic() - begun_s, counts(session)
        outputs = {name: round((after[name] - before[name]) / took_s, 2) for name in after}
        outputs["PipeWire reader"] = read_fps()
        shown_fps = round(self._shown / took_s, 1)
        return {"outputs": outputs, "shown_fps": shown_fps, "latency_ms": self.latency_ms()}

    def _run(self, count: int) -> bool:
        """Whether so many outputs are open and it records. A camera that nobody reads yet is paused."""
        from facefusion_live.domain.ports import SinkState  # noqa: PLC0415

        state = self.studio.state()
        opened = [status for status in state.outputs.values() if status.state is not SinkState.OPENING]
        return len(opened) >= count and state.recording is not None

    def latency_ms(self) -> dict[str, float]:
        """Capture to emit, of the last frames."""
        return self.studio.state().latency_ms["capture_to_emit"]._asdict()

    @contextmanager
    def covered(self) -> Generator[None]:
        """Another window lies over all of it."""
        from PySide6.QtWidgets import QWidget  # noqa: PLC0415

        cover = QWidget()
        cover.setGeometry(0, 0, 1280, 800)
        cover.show()
        yield
        cover.close()

    def _count_shown(self) -> None:
        self._shown += 1

    def turn(self, wait_s: float) -> None:
        """Let the window work, as it does by itself: whoever asks for events again and again costs the outputs some."""
        from PySide6.QtCore import QEventLoop, QTimer  # noqa: PLC0415

        loop = QEventLoop()
        QTimer.singleShot(round(1000 * wait_s), loop.quit)
        loop.exec()


def _lose_gl() -> None:
    """Every drawing call fails from now on, as when a driver takes the context away."""
    from facefusion_live.adapters.gpu.library import GL, GLCallError  # noqa: PLC0415

    def lost(*_: object) -> None:
        raise GLCallError("GL_CONTEXT_LOST")

    GL.glDrawArraysInstanced = lost


if __name__ == "__main__":
    sys.exit(main())
