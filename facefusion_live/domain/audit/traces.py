"""Where a text tells of a person: paths, file names, addresses of people and of machines, however they are written.

Strict on purpose: rather a word too many than a name. What it cannot find stands in `docs/audit.md`.
"""

import re
from collections.abc import Callable
from ipaddress import ip_address
from typing import TypeAlias
from unicodedata import category, decimal, normalize

Mask: TypeAlias = Callable[[str, str], str]
"""Gets a kind (path, mail, mac, ip) and what was found; gives what stands there instead."""

_OWN = re.compile(r"((?:(?:path|mail|mac|ip|other):)?hmac:[0-9a-f]{16}|ip:local)")
"""What was masked before."""
_ENDINGS = (
    "3gp|aac|avi|avif|bmp|csv|cube|dfm|docx?|flac|gif|hei[cf]s?|icc|jfif|jpe?g|json|m4[av]|mkv|mov|mp[34]|mpe?g|mts|nef"
    "|np[yz]|od[st]|ogg|onnx|pdf|png|pptx?|pth|raw|rtf|safetensors|svg|tga|tiff?|txt|wav|webm|webp|wmv|xlsx?|zip"
)
_PLAIN = re.compile(rf"[A-Za-z_ -]*|[a-z_]+\.(?!(?:{_ENDINGS})\Z)[a-z_]+")
"""What most texts are, words and parameters, told from the others in a fraction of the time."""
_SCHEMES = r"dav|file|ftps?|https?|nfs|rtmps?|rtp|rtsps?|s3|sftp|sips?|smb|srt|ssh|tcp|tel|udp|wss?"
_SUSPICIOUS = re.compile(
    rf"[/\\~@$]|%(?:25)*(?:2f|5c|40)|&(?:#|commat)|=\?|[(\[{{<]\s?at\s?[)\]}}>]|\b(?:[a-z]|{_SCHEMES}|mailto):\S|::"
    rf"|\.(?:{_ENDINGS})(?!\w)|www\."
    r"|\d[.,_-]\d+[.,_-]\d+[.,_-]\d|(?:[0-9a-f]{1,4}[:-]){5}|(?:[0-9a-f]{4}\.){2}|\.arpa|ipv6-literal",
    re.IGNORECASE,
)
"""What a text must hold at least before it is worth a closer look."""

_SLASHES = str.maketrans(
    dict.fromkeys("\u2044\u2215\u2571\u27cb\u29f8", "/") | dict.fromkeys("\u2216\u29f5\u29f9", "\\")
)

_AT = r"(?:@|%(?:25)*40|&(?:#0*64|#x0*40|commat);|\s?[(\[{<]\s?at\s?[)\]}>]\s?)"
_MAIL = re.compile(
    rf"\"[^\"\n]*\"{_AT}[^\s\"'<>|,;()]+"
    rf"|(?<![^\s\"'<>|,;()])[^\s\"'<>|,;()@]*{_AT}[^\s\"'<>|,;()]+"
    r"|mailto:\S+|=\?[^?\s]+\?[bq]\?[^?]*\?=",
    re.IGNORECASE,
)
"""Addresses of people, and of streams that carry a password."""

_PATH = re.compile(
    # These are no paths: a fraction, a date, and what is written with a slash.
    r"(?P<none>(?<![\w./\\~])(?:\d+(?:/\d+)+|and/or|i/o|input/output|n/a|on/off|read/write|tcp/ip)(?![\w/\\]|\.\w))"
    rf"|(?P<begins>\b(?:{_SCHEMES}):(?=\S)|(?<![^\s\"'`<>|=:;,(\[{{])\.{{0,2}}[/\\](?=\S)|(?<!\w)~(?=[^\W\d]|[/\\])"
    r"|\$\{?[A-Za-z_]\w*\}?[/\\]|\b[a-z]:(?=[^\W\d]|[/\\])|\bwww\.(?=\w))"
    # In the midst of a path: it may begin with any number of words.
    rf"|(?<=\S)[/\\](?=\S)|%(?:25)*(?:2f|5c)|(?<=\w)\.(?:{_ENDINGS})(?!\w)",
    re.IGNORECASE,
)
_ENDS_BEFORE = frozenset("\"'`=:;|\n\t")
"""How far back a path may begin that does not say where it does."""
_QUOTES = "\"'`"

_MAC = re.compile(
    r"(?<![0-9a-f])(?:[0-9a-f]{2}([:-]))(?:[0-9a-f]{2}\1){4}(?:[0-9a-f]{2}\1[0-9a-f]{2}\1)?[0-9a-f]{2}(?![0-9a-f])"
    r"|(?<![0-9a-f.])[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}(?![0-9a-f.])",
    re.IGNORECASE,
)
_HOST = re.compile(r"[\w.-]+\.(?:ipv6-literal\.net|(?:in-addr|ip6)\.arpa)(?!\w)", re.IGNORECASE)
_V4 = re.compile(r"(?<![0-9])[0-9]{1,4}(?:([.,_-])[0-9]{1,4})(?:\1[0-9]{1,4}){2,}(?![0-9])")
_V6 = re.compile(r"(?<![0-9A-Fa-f:.])[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*+(?:%\w+)?")
_LONGEST_GROUP = 4


def without_traces(text: str, mask: Mask) -> str:
    """The text with each path, file name, e-mail and network address in it replaced; doing it again changes nothing.

    Letters and digits that only look otherwise (full width, other scripts' digits, invisible marks between them) are
    read as what they stand for. A path may hold blanks, commas and quotes, so it goes on to the end of the text, or to
    the quote that closes the one before it; one that begins with a bare word goes back likewise.
    """
    if _PLAIN.fullmatch(text):
        return text
    read = text if text.isascii() else _as_read(text)
    if not _SUSPICIOUS.search(read):
        return text
    masked = _masked(read, mask)
    if masked == read:
        return text
    while (again := _masked(masked, mask)) != masked:  # what is not masked grows less each time
        masked = again
    return masked


def _masked(text: str, mask: Mask) -> str:
    # An address behind a slash is a part of a path: taken out first, it would leave the path's beginning to stand.
    for step in (_without_plain_people, _without_paths, _without_people, _without_machines):
        parts = _OWN.split(text)  # every second one was masked before
        parts[::2] = [step(part, mask) for part in parts[::2]]
        text = "".join(parts)
    return text


def _as_read(text: str) -> str:
    """The text as somebody reads it: one letter for each that is to be seen."""
    seen = (_plain_letter(each) for each in text if category(each) != "Cf")
    return "".join(seen).translate(_SLASHES)


def _plain_letter(letter: str) -> str:
    if (digit := decimal(letter, None)) is not None:
        return str(digit)
    if letter == "\u3002":
        return "."
    plain = normalize("NFKC", letter)
    return plain if len(plain) == 1 else letter


def _without_plain_people(text: str, mask: Mask) -> str:
    return _MAIL.sub(lambda match: match[0] if set(match[0]) & set("/\\") else mask("mail", match[0]), text)


def _without_people(text: str, mask: Mask) -> str:
    return _MAIL.sub(lambda match: mask("mail", match[0]), text)


def _without_paths(text: str, mask: Mask) -> str:
    done, at = "", 0
    while found := _PATH.search(text, at):
        if found["none"]:
            at = found.end()
            continue
        start = found.start()
        while not found["begins"] and start and not _parts(text, start - 1):
            start -= 1
        start += len(text[start:]) - len(text[start:].lstrip(" "))
        end = _closed(text, start)
        done += text[:start] + mask("path", text[start:end])
        text, at = text[end:], 0
    return done + text


def _parts(text: str, at: int) -> bool:
    """Does the letter there end what was before? An apostrophe within a word does not."""
    within = text[at] == "'" and text[at - 1 : at].isalnum() and text[at + 1].isalnum()
    return text[at] in _ENDS_BEFORE and not within


def _closed(text: str, start: int) -> int:
    """Where a path ends: at the last quote of the kind before it that closes something, else with the text."""
    quote = text[start - 1] if start else ""
    if quote not in _QUOTES or not quote:
        return len(text)
    closing = [match.start() for match in re.finditer(rf"{quote}(?=[:,;)\]}}]|$)", text[start:])]
    return start + closing[-1] if closing else len(text)


def _without_machines(text: str, mask: Mask) -> str:
    text = _MAC.sub(lambda match: mask("mac", match[0]), text)
    text = _HOST.sub(lambda match: mask("ip", match[0]), text)
    text = _V6.sub(lambda match: _without_v6(text, match, mask), text)
    return _V4.sub(lambda match: _without_v4(match, mask), text)


def _without_v4(match: re.Match[str], mask: Mask) -> str:
    """Four numbers or more that could be an address, with leading zeros too."""
    numbers = [int(each) for each in match[0].split(match[1])]
    in_reach = "".join("y" if number < 256 else "n" for number in numbers)
    return mask("ip", ".".join(map(str, numbers))) if "yyyy" in in_reach else match[0]


def _without_v6(text: str, match: re.Match[str], mask: Mask) -> str:
    """A coloned word, with the address in it masked; marks and letters around it are not its own."""
    word = match[0]
    glued = text[match.start() - 1 : match.start()].isalnum() or text[match.end() : match.end() + 1].isalnum()
    if glued and not _is_long(word):  # `std::vector`
        return word
    for start in range(min(word.find(":"), 2 * _LONGEST_GROUP) + 1):
        for address in (word[start:], word[start:].strip(".:"), word[start:].rpartition(":")[0]):
            if _is_v6(address):
                before, _, after = word.partition(address)
                return before + mask("ip", address) + after
    return word


def _is_long(word: str) -> bool:
    digits = [each for each in word if each not in ":."]
    return len(digits) >= _LONGEST_GROUP and any(each.isdecimal() for each in digits)


def _is_v6(text: str) -> bool:
    if text.count(":") < 2:
        return False
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
