"""What the program says to people from below the window: the sentences that translators get, and how they are found.

Whoever raises an error knows no language but English, and puts names and numbers into it. Here `{}` stands for those.
What is not in this list is shown in English.
"""

import re
from collections.abc import Callable
from functools import cache

SENTENCES = (
    # What runs short
    "only {} MiB of memory are free: close other programs",
    "the recording's disk has {} MiB left, about {} min: make room, or stop in time",
    "the recording's disk has {} MiB left: make room, or stop in time",
    "this machine swaps {} of {} frames/s: ask the camera for fewer or smaller pictures, or lower swap.max_crop_px",
    "pictures come out {} ms late: lower swap.max_crop_px or the size of the camera's picture",
    "{} cannot be used any more ({}): the processor composes",
    # What composes, and why
    "the faster one at {}: {} ms against {} ms ({})",
    "asked for; {}",
    "no graphics device: {}",
    # Inputs
    "the input has ended",
    "the input broke off: {}",
    "there is no camera {}",
    "there is no camera named {}",
    "{} gives no more pictures",
    "{}: there is no such file",
    "{}: this is not a video",
    "{}: the file may not be read",
    "{}: the host name is unknown",
    "{}: the stream could not be opened",
    "{}: no picture arrived within {} s",
    "{}: no picture for {} s",
    "Is it still plugged in?",
    "Check the spelling of the path.",
    "Check the spelling of the address.",
    "Give yourself the right to read it.",
    "Give a file or stream with moving pictures.",
    "Close other programs that use it, and allow this program to use the camera.",
    # Faces
    "no face was chosen",
    "Choose a face, then start.",
    "no face was found",
    "{}: no face was found",
    "Give a portrait, seen from the front, evenly lit.",
    "the face in use was removed",
    "Choose another face to go on.",
    "that person is not here any more",
    "Choose another face.",
    "Give a larger picture of the face.",
    "Cut the picture so that only one person is in it.",
    "{} is not a picture that can be read",
    "Give a JPEG, PNG or WebP file.",
    # Consent and labels
    "{}: nobody has said why this face may be used",
    "{}: the consent was taken back on {}",
    "the consent was taken back on {}",
    "{}: the consent ended on {}",
    "the consent ended on {}",
    "{}: the consent waits for a second person's approval",
    "the consent waits for a second person's approval",
    "the consent records were changed: no face but the built-in ones may be used",
    "the consent records are gone: no face but the built-in ones may be used",
    "a written consent has a name, a document and a last day",
    "the label and the mark are left out for a reason only",
    "If it may be used: {}.",
    "{} carries no signed manifest: {}",
    # Recordings and outputs
    "nothing is live",
    "Start first.",
    "a recording is running already",
    "Stop it first.",
    "pictures have another size: the recording goes on as {}",
    "the folder {} cannot be made",
    "Give a folder that you may write to.",
    "Free some space on the disk.",
    "Give a path in a folder that exists and that you may write to.",
    "Make room on the disk and record again; what was recorded until then is kept.",
    "the output {} failed: {}",
    "the output {}: the microphone is gone: silence",
    "an address with a key is not remembered: give it again next time",
    "there is no output {}",
    "the microphone is gone: silence",
    "there is no microphone {}",
    "there is no microphone",
    "Microphones: {}.",
    "Start PipeWire and WirePlumber in your session (systemctl --user start pipewire wireplumber).",
    "Install PipeWire 0.3.50 or newer (Debian, Ubuntu: libpipewire-0.3-0; Fedora: pipewire-libs).",
    # The program itself
    "something went wrong that should not ({})",
    "Please report it, with {}.",
    "{} cannot be read",
    "It was put aside as {}.",
    "nothing is live: there is nothing to pass through",
)
"""As they are said. The ones with less freedom stand before those that would match the same words."""

HOLE = "{}"


def translated(text: str, translate: Callable[[str], str]) -> str:
    """A sentence in another language; as it is where nobody wrote it.

    Args:
        text: As it was said.
        translate: Looks up a sentence with holes.
    """
    for sentence, form in _forms():
        found = form.fullmatch(text)
        if found is not None:
            return translate(sentence).format(*found.groups())
    return text


@cache
def _forms() -> tuple[tuple[str, re.Pattern[str]], ...]:
    free = sorted(SENTENCES, key=lambda sentence: sentence.startswith(HOLE))
    return tuple((each, re.compile("(.+?)".join(map(re.escape, each.split(HOLE))), re.DOTALL)) for each in free)
