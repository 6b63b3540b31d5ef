"""The block that GB 45438-2025 wants in the metadata of synthesised files: exactly its seven keys.

In movies it stands as JSON under the tag `AIGC`, and once more as the comment, which every copying program takes
along. In pictures it stands in XMP as `TC260:AIGC` (namespace of TC260's practice guide).
"""

import json
from typing import Any, Final, cast
from xml.sax.saxutils import escape, unescape

KEYS: Final = (
    "Label",
    "ContentProducer",
    "ProduceID",
    "ReservedCode1",
    "ContentPropagator",
    "PropagateID",
    "ReservedCode2",
)
PRODUCER: Final = "FaceFusion Live"
NAMESPACE: Final = "http://www.tc260.org.cn/ns/AIGC/1.0/"
_IS_SYNTHESISED: Final = "1"
"""1: it is synthesised; 2: it may be; 3: it is suspected to be."""
_OPEN, _CLOSE = "<TC260:AIGC>", "</TC260:AIGC>"


def block(produce_id: str) -> dict[str, str]:
    """The block of a new file.

    Args:
        produce_id: Its number: unique, and chosen by whoever makes it.
    """
    filled = {"Label": _IS_SYNTHESISED, "ContentProducer": PRODUCER, "ProduceID": produce_id}
    return {key: filled.get(key, "") for key in KEYS}


def tags(filled: dict[str, str]) -> dict[str, str]:
    """A block as the tags of a movie."""
    return {"AIGC": json.dumps(filled), "comment": json.dumps({"AIGC": filled})}


def from_tags(found: dict[str, str]) -> dict[str, str] | None:
    """The block in the tags of a movie, whatever their case; None where there is none."""
    lower = {name.lower(): text for name, text in found.items()}
    for text in (lower.get("aigc"), lower.get("comment")):
        read = _read(text)
        if read is not None:
            return read
    return None


def xmp(filled: dict[str, str]) -> str:
    """A block as an XMP packet."""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" xmlns:TC260="{NAMESPACE}">'
        f"{_OPEN}{escape(json.dumps(filled), {chr(34): '&quot;'})}{_CLOSE}"
        '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
    )


def from_xmp(packet: str) -> dict[str, str] | None:
    """The block in an XMP packet; None where there is none."""
    _, opened, rest = packet.partition(_OPEN)
    text, closed, _ = rest.partition(_CLOSE)
    return _read(unescape(text, {"&quot;": '"'})) if opened and closed and NAMESPACE in packet else None


def _read(text: str | None) -> dict[str, str] | None:
    try:
        found: Any = json.loads(text or "")
    except ValueError:
        return None
    inner: Any = cast("dict[str, Any]", found).get("AIGC", found) if isinstance(found, dict) else None
    if not isinstance(inner, dict) or set(cast("dict[str, Any]", inner)) != set(KEYS):
        return None
    return {key: str(cast("dict[str, Any]", inner)[key]) for key in KEYS}
