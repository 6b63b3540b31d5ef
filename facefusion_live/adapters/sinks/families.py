"""The kinds of outputs that can be asked for in one word: `--sink SPEC` and the window's list read this one table."""

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from facefusion_live.adapters.sinks import addresses, mjpeg, virtual_camera
from facefusion_live.adapters.sinks.live_sound import MicrophoneFeed, OpenMicrophone, Silence
from facefusion_live.adapters.sinks.pipewire import PipeWireCamera, PipeWireMicrophone
from facefusion_live.adapters.sinks.recorder import Recorder
from facefusion_live.adapters.sinks.sound import Sound, SoundFeed
from facefusion_live.adapters.sinks.stream import StreamSink
from facefusion_live.domain.errors import SinkOpenError
from facefusion_live.domain.ports import Sink
from facefusion_live.domain.settings import Settings


@dataclass(frozen=True, slots=True)
class SoundSources:
    """What can be heard in a session.

    Attributes:
        input_file: The input, where it is a file.
        open_microphone: Opens the microphone of the settings; None where there is none to be had.
    """

    input_file: Path | None = None
    open_microphone: OpenMicrophone | None = None

    def open(self, settings: Settings, *, streamed: bool) -> SoundFeed | None:
        """Open what the settings ask for. Thread: that of the sink which will use and close it.

        Raises:
            SinkOpenError: There is no microphone, or the input's sound cannot be read.
        """
        sound, bit_rate = settings.sound, 1000 * settings.stream.sound_kbit
        offset_s = sound.offset_ms / 1000
        if sound.source == "none":
            return None
        if sound.source == "microphone":
            if self.open_microphone is None:
                raise SinkOpenError("there is no way to a microphone here", advice="Set sound.source to auto.")
            return MicrophoneFeed(self.open_microphone, bit_rate, offset_s)
        if sound.source == "auto" and self.input_file is not None:
            feed = Sound(self.input_file, offset_s)
            if not feed.silent or not streamed:
                return feed
            feed.close()
        return Silence(bit_rate) if streamed or sound.source == "silence" else None


@dataclass(frozen=True, slots=True)
class Family:
    """One kind of output.

    Attributes:
        name: As its sinks are called: "stream".
        forms: How it is asked for, for people: ("rtmp://HOST/APP/KEY",).
        claims: Whether a spec means this kind. Must not look at the world.
        make: Makes the sink, which is not open yet. Raises SinkOpenError where the spec cannot be served.
        trial: A spec with which it can be tried without harm; empty where there is none.
    """

    name: str
    forms: tuple[str, ...]
    claims: Callable[[str], bool]
    make: Callable[[str, Settings, SoundSources], Sink]
    trial: str = ""


def _stream(spec: str, settings: Settings, sounds: SoundSources) -> Sink:
    return StreamSink(spec, settings.stream, lambda: sounds.open(settings, streamed=True))


def _camera(spec: str, settings: Settings, _sounds: SoundSources) -> Sink:
    """The virtual camera. PipeWire comes first: it needs neither a driver nor rights."""
    kinds: dict[str, Sink] = {"driver": virtual_camera.DriverCamera()}
    if sys.platform.startswith("linux"):
        kinds = {"pipewire": PipeWireCamera(settings.virtual_camera), **kinds}
    wanted = spec.partition(":")[2]
    return kinds[wanted] if wanted in kinds else virtual_camera.FirstThatOpens(tuple(kinds.values()))


FAMILIES: tuple[Family, ...] = (
    Family("stream", addresses.FORMS, addresses.is_address, _stream),
    Family(
        "mjpeg",
        mjpeg.FORMS,
        mjpeg.is_mjpeg,
        lambda spec, _settings, _sounds: mjpeg.MjpegSink.parse(spec),
        trial="mjpeg",
    ),
    Family(
        "virtual-camera",
        virtual_camera.FORMS,
        lambda spec: spec in virtual_camera.FORMS,
        _camera,
        trial="virtual-camera",
    ),
    Family(
        "virtual-microphone",
        ("virtual-microphone",),
        lambda spec: spec == "virtual-microphone",
        lambda _spec, settings, _sounds: PipeWireMicrophone(settings.sound),
        trial="virtual-microphone",
    ),
)
"""The first that claims a spec makes it."""


def make_recorder(path: Path, settings: Settings, sounds: SoundSources) -> Recorder:
    """A recording with the sound that the settings ask for. Raises SinkOpenError as `Recorder` does."""
    return Recorder(
        path,
        settings.record,
        audio_from=sounds.input_file,
        open_sound=lambda: sounds.open(settings, streamed=False),
    )


def make_sink(spec: str, settings: Settings, sounds: SoundSources = SoundSources()) -> Sink:
    """The output that a spec asks for. Opening it is for the thread that will feed it.

    Args:
        spec: As on the command line: "virtual-camera", "rtmp://host/app/key", …
        settings: Parameters of the session.
        sounds: What can be heard.

    Raises:
        SinkOpenError: Nothing of this kind is known; the advice lists what there is.
    """
    spec = addresses.cleaned(spec)
    for family in FAMILIES:
        if family.claims(spec):
            return family.make(spec, settings, sounds)
    known = ", ".join(form for family in FAMILIES for form in family.forms) or "none in this version"
    raise SinkOpenError(f"there is no output {_shown(spec)!r}", advice=f"Outputs: {known}.")


def _shown(spec: str) -> str:
    """What of a spec may be told: no more than a plain word or a scheme. The rest may be a key, or hold one."""
    word = re.match(r"[a-z+-]{0,24}", spec, re.IGNORECASE)
    shown = "" if word is None else word[0]
    return shown if shown == spec else f"{shown}…"
