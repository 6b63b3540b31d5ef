"""The kinds of outputs that can be asked for in one word: `--sink SPEC` and the window's list read this one table."""

from collections.abc import Callable
from dataclasses import dataclass

from facefusion_live.adapters.sinks.pipewire import PipeWireCamera, PipeWireMicrophone
from facefusion_live.domain.errors import SinkOpenError
from facefusion_live.domain.ports import Sink
from facefusion_live.domain.settings import Settings


@dataclass(frozen=True, slots=True)
class Family:
    """One kind of output.

    Attributes:
        name: As its sinks are called: "stream".
        forms: How it is asked for, for people: ("rtmp://HOST/APP/KEY",).
        claims: Whether a spec means this kind. Must not look at the world.
        make: Makes the sink, which is not open yet. Raises SinkOpenError where the spec cannot be served.
    """

    name: str
    forms: tuple[str, ...]
    claims: Callable[[str], bool]
    make: Callable[[str, Settings], Sink]


FAMILIES: tuple[Family, ...] = (
    Family(
        name="virtual-camera",
        forms=("virtual-camera",),
        claims=lambda spec: spec in ("virtual-camera", "virtual-camera:pipewire"),
        make=lambda _, settings: PipeWireCamera(settings.virtual_camera),
    ),
    Family(
        name="virtual-microphone",
        forms=("virtual-microphone",),
        claims=lambda spec: spec == "virtual-microphone",
        make=lambda _, settings: PipeWireMicrophone(settings.sound),
    ),
)
"""The first that claims a spec makes it."""


def make_sink(spec: str, settings: Settings) -> Sink:
    """The output that a spec asks for. Opening it is for the thread that will feed it.

    Args:
        spec: As on the command line: "virtual-camera", "rtmp://host/app/key", …
        settings: Parameters of the session.

    Raises:
        SinkOpenError: Nothing of this kind is known; the advice lists what there is.
    """
    for family in FAMILIES:
        if family.claims(spec):
            return family.make(spec, settings)
    # Not the spec itself: an address may carry a key.
    known = ", ".join(form for family in FAMILIES for form in family.forms) or "none in this version"
    raise SinkOpenError(f"there is no output {_shown(spec)!r}", advice=f"Outputs: {known}.")


def _shown(spec: str) -> str:
    scheme, separator, _ = spec.partition("://")
    return f"{scheme}://…" if separator else spec
