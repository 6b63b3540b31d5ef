"""What the doctor tries, each in a process of its own: engine, encoders, outputs, cameras, graphics, sound, record."""

import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from types import MappingProxyType

import numpy as np
import psutil

from facefusion_live.adapters import gl_probe
from facefusion_live.adapters.capture import list_cameras, open_source
from facefusion_live.adapters.microphone import open_microphone
from facefusion_live.adapters.onnx.session import NetSession, offered_providers
from facefusion_live.adapters.sinks import FAMILIES, Recorder, Snapshot, SoundSources, make_sink
from facefusion_live.adapters.sinks.addresses import PROTOCOLS
from facefusion_live.adapters.sinks.encoders import ENCODERS, Encoder, works
from facefusion_live.adapters.sinks.stream import has_protocol
from facefusion_live.app import wiring
from facefusion_live.app.audit_wiring import AuditHome
from facefusion_live.app.disclosure import Disclosure
from facefusion_live.app.environment import Home, resource
from facefusion_live.app.portraits import avatars, source
from facefusion_live.domain.errors import FaceFusionLiveError
from facefusion_live.domain.extras import advice_by_copy
from facefusion_live.domain.finding import Finding
from facefusion_live.domain.image import HostImage
from facefusion_live.domain.ports import GateState, Sink
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.gate import Gate
from facefusion_live.engine.trail import WAIT_S

_SIZE_WH = (640, 360)
_FPS = 30.0
_LOW_DISK_MIB = 2000
_MIB = 1024 * 1024
_NET = "resources/models/blazeface_short.onnx"


def engine() -> list[Finding]:
    """Swap one picture: the main job."""
    settings = Settings()
    swapper = wiring.open_frame_swapper([source(str(next(iter(avatars().values()))), None)], settings, Disclosure(None))
    clip = resource("resources/demo/driver.mp4")
    with open_source(str(clip), settings.capture, demo_clip=clip, clock=wiring.SystemClock(), offline=True) as frames:
        width, height = frames.size_wh
        picture = np.empty((height, width, 3), np.uint8)
        frames.read_into(picture)
    taken_ms: list[float] = []
    state = GateState.SLATE
    for _ in range(5):
        begun_s = time.perf_counter()
        state = swapper.swap(picture.copy()).state
        taken_ms.append(1000 * (time.perf_counter() - begun_s))
    swapper.close()
    good = state is GateState.LIVE
    words = f"{width}x{height}, {min(taken_ms):.0f} ms a picture" if good else f"the picture came out as {state.value}"
    return [Finding(group="swap", part="mesh engine", works=good, words=words, advice="" if good else _AGAIN)]


_AGAIN = "Install the program again; if that does not help, report it with this list."


def inference() -> list[Finding]:
    """Run a small net with every provider that this ONNX Runtime was built with."""
    return [_provider(name) for name in offered_providers()]


def _provider(name: str) -> Finding:
    part = name.removesuffix("ExecutionProvider")
    try:
        net = NetSession(resource(_NET), provider=name)
        net.run(np.zeros((1, 3, 128, 128), np.float32))
    except FaceFusionLiveError:
        advice = _AGAIN if part == "CPU" else _for_a_card() if part in ("CUDA", "Tensorrt") else ""
        return Finding(group="inference", part=part, works=False, words="built in, does not run here", advice=advice)
    return Finding(group="inference", part=part, works=True, words="ran a net")


def _for_a_card() -> str:
    needs = "It needs an NVIDIA card, its driver, and the CUDA and cuDNN that this ONNX Runtime was built for"
    installed = f'{needs}: pip install "facefusion-live[cuda]" brings both.'
    return advice_by_copy(installed, f"{needs}: install both for the whole system, or let the processor do it.")


def encoders() -> list[Finding]:
    """Encode some pictures with each."""
    found = [_encoded(encoder) for encoder in ENCODERS]
    none = advice_by_copy(
        "Streams need one: install PyAV with libx264, or a graphics card's driver.",
        "Streams need one: install a graphics card's driver, or use the pip package of the program.",
    )
    return found if any(each.works for each in found) else [*found[:-1], _with_advice(found[-1], none)]


def _encoded(encoder: Encoder) -> Finding:
    good = works(encoder.name)
    words = "made pictures" if good else "makes no picture here"
    advice = "" if good else f"It needs {encoder.needs}."
    return Finding(group="encoders", part=encoder.name, works=good, words=words, advice=advice)


def recording() -> list[Finding]:
    """Record a second, as H.264 and without loss."""
    return [_recorded("H.264 (.mp4)", "trial.mp4"), _recorded("lossless (.mkv)", "trial.mkv")]


def _recorded(part: str, name: str) -> Finding:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        try:
            _feed(Recorder(path, Settings().with_values({"record.keep_free_mib": 0}).record), 30)
        except FaceFusionLiveError as error:
            return Finding(group="outputs", part=part, works=False, words=_worded(error, folder), advice=error.advice)
        return Finding(group="outputs", part=part, works=path.stat().st_size > 0, words="recorded a second")


def outputs() -> list[Finding]:
    """Show a picture to every kind of output that can be tried without harm; stream to a socket of our own."""
    return [_snapped(), _streamed(), *(_tried(family.name, family.trial) for family in FAMILIES if family.trial)]


def _snapped() -> Finding:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trial.png"
        try:
            _feed(Snapshot(path), 1)
        except FaceFusionLiveError as error:
            words = _worded(error, folder)
            return Finding(group="outputs", part="snapshot", works=False, words=words, advice=error.advice)
        good = path.is_file() and path.stat().st_size > 0
        return Finding(group="outputs", part="snapshot", works=good, words="a picture in a file")


def _streamed() -> Finding:
    """Over UDP, the one protocol whose other side can be played here."""
    with socket.socket(type=socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(_LISTEN_S)
        try:
            _feed(make_sink(f"udp://127.0.0.1:{receiver.getsockname()[1]}", Settings(), SoundSources()), 10)
            came = receiver.recv(65_536)
        except FaceFusionLiveError as error:
            return Finding(group="outputs", part="stream", works=False, words=str(error), advice=error.advice)
        except TimeoutError:
            words, advice = "sent, but nothing arrived on this machine itself", "See whether a firewall holds up UDP."
            return Finding(group="outputs", part="stream", works=False, words=words, advice=advice)
    good = came[:1] == _SYNC
    return Finding(group="outputs", part="stream", works=good, words="sent and received", advice="" if good else _AGAIN)


_LISTEN_S = 5.0
_SYNC = b"G"
"""So begins each packet of a transport stream."""


def _tried(part: str, spec: str) -> Finding:
    try:
        _feed(make_sink(spec, Settings(), SoundSources()), 3)
    except FaceFusionLiveError as error:
        return Finding(group="outputs", part=part, works=False, words=str(error), advice=error.advice)
    return Finding(group="outputs", part=part, works=True, words="opened")


def protocols() -> list[Finding]:
    """Which kinds of streams this FFmpeg speaks."""
    return [_spoken(scheme) for scheme in PROTOCOLS]


def _spoken(scheme: str) -> Finding:
    there = has_protocol(scheme)
    advice = "" if there else "Send rtmp:// or udp:// to a media server instead, and let that one turn it over."
    # Over UDP nobody answers; the others were refused by a port of this machine where nobody is, as they should be.
    words = ("spoken" if scheme == "udp" else "spoken; no server was asked") if there else "not in this FFmpeg"
    return Finding(group="protocols", part=scheme, works=there, words=words, advice=advice)


def cameras() -> list[Finding]:
    """Take a picture with every camera. Not their names: people name cameras after themselves."""
    found = list_cameras()
    if not found:
        # `pw-v4l2` shows its cameras to whoever opens one, not to whoever looks for files.
        unlisted = _seen(0, "not listed")
        if unlisted.works:
            return [unlisted]
        advice = "Plug one in, allow its use, or try --input synthetic."
        return [Finding(group="cameras", part="any", works=False, words="none was found", advice=advice)]
    return [_seen(camera.index, camera.backend) for camera in found]


def _seen(index: int, backend: str) -> Finding:
    spec, settings = f"camera:{index}", Settings()
    clip = resource("resources/demo/driver.mp4")
    try:
        with open_source(spec, settings.capture, demo_clip=clip, clock=wiring.SystemClock(), offline=False) as camera:
            width, height = camera.size_wh
            camera.read_into(np.empty((height, width, 3), np.uint8))
            words = f"{backend}, {width}x{height} at {camera.fps:g}/s"
    except FaceFusionLiveError as error:
        return Finding(group="cameras", part=spec, works=False, words=f"{backend}, no picture", advice=error.advice)
    return Finding(group="cameras", part=spec, works=True, words=words)


def sound() -> list[Finding]:
    """Listen for half a second. Not the microphone's name."""
    try:
        with open_microphone() as microphone:
            time.sleep(0.5)
            heard = sum(len(chunk.samples) for chunk in microphone.take())
            words = f"{heard / microphone.rate_hz:.2f} s heard" if heard else "opened, but nothing comes"
    except FaceFusionLiveError as error:
        return [Finding(group="sound", part="microphone", works=False, words=str(error), advice=error.advice)]
    advice = "" if heard else "Choose a microphone in the system's sound settings."
    return [Finding(group="sound", part="microphone", works=heard > 0, words=words, advice=advice)]


def record() -> list[Finding]:
    """Keep a small audit trail in a folder that is thrown away, and verify it."""
    with tempfile.TemporaryDirectory() as folder:
        home = AuditHome(Path(folder), keyring=False)
        with home.open_trail() as trail:
            trail.record("session.start", "synthetic", "success", {"fps": 30})
            trail.checkpoint().result(WAIT_S)
        reports = home.verify()
        good = bool(reports) and all(report.rows for report in reports)
    words = "written, sealed, verified" if good else "the trial log does not verify"
    return [Finding(group="record", part="audit trail", works=good, words=words, advice="" if good else _AGAIN)]


def disk() -> list[Finding]:
    """Room, and whether the program's own folders can be written."""
    return list(_places())


def _places() -> Iterator[Finding]:
    home = Home.from_environment()
    for part, folder in (("settings", home.config), ("data", home.data), ("log", home.logs)):
        there = next(place for place in (folder, *folder.parents) if place.is_dir())
        free_mib, may = shutil.disk_usage(there).free / _MIB, _may_write(there)
        advice = "" if may else "Give yourself the right to write there, or set FACEFUSION_LIVE_HOME to a folder."
        if may and free_mib < _LOW_DISK_MIB:
            advice = "Make room before you record."
        words = f"{free_mib / 1024:.1f} GiB free" + ("" if may else ", may not be written")
        yield Finding(group="disk", part=part, works=may, words=words, advice=advice)


def _may_write(folder: Path) -> bool:
    with suppress(OSError), tempfile.TemporaryFile(dir=folder) as trial:
        trial.write(b"trial")
        return True
    return False


def memory() -> list[Finding]:
    """What the system can still give."""
    free_mib = psutil.virtual_memory().available / _MIB
    good = free_mib > 1000
    advice = "" if good else "Close other programs."
    words = f"{free_mib / 1024:.1f} GiB free"
    return [Finding(group="machine", part="memory", works=good, words=words, advice=advice)]


PROBES: Mapping[str, Callable[[], list[Finding]]] = MappingProxyType(
    {
        "engine": engine,
        "inference": inference,
        "recording": recording,
        "outputs": outputs,
        "encoders": encoders,
        "protocols": protocols,
        "cameras": cameras,
        "graphics": gl_probe.find,
        "sound": sound,
        "record": record,
        "disk": disk,
        "memory": memory,
    }
)
"""In the order in which they are told."""


def _feed(sink: Sink, count: int) -> None:
    """Open a sink, show it slates, close it."""
    with ExitStack() as stack:
        stack.callback(sink.close)
        sink.open(_SIZE_WH, _FPS)
        gate, picture = Gate(), np.full((_SIZE_WH[1], _SIZE_WH[0], 3), 40, np.uint8)
        picture.flags.writeable = False
        for number in range(count):
            sink.send(gate.release(None, lambda: HostImage(picture), number / _FPS))


def _with_advice(finding: Finding, advice: str) -> Finding:
    return Finding(group=finding.group, part=finding.part, works=finding.works, words=finding.words, advice=advice)


def _worded(error: Exception, folder: str) -> str:
    return str(error).replace(folder, "…")
