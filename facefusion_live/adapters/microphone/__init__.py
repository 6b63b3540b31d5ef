"""Where sound comes from: PulseAudio's interface, which PipeWire serves, too."""

import sys

from facefusion_live.adapters.microphone.pulse import PulseMicrophone
from facefusion_live.domain.errors import CaptureOpenError
from facefusion_live.domain.ports import Microphone

__all__ = ["PulseMicrophone", "open_microphone"]


def open_microphone(name: str = "") -> Microphone:
    """Open a microphone of this system.

    Args:
        name: As the system calls it; empty for the system's choice.

    Raises:
        CaptureOpenError: There is none, it may not be used, or this system's sound is not served yet.
    """
    if not sys.platform.startswith("linux"):
        raise CaptureOpenError(
            "microphones are heard on Linux only in this version",
            advice="Record without sound (sound.source none), or let OBS add it to the stream.",
        )
    return PulseMicrophone(name)
