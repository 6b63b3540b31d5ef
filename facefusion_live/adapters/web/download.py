# pyright: basic
"""Files fetched over HTTP: in pieces that survive a kill, from one mirror after the other.

What has arrived lies in `<name>.part`, and beside it, in `<name>.part.json`, which version of which file it is a piece
of: a piece is only continued where the server says that it is the same version, or where a known SHA-256 decides in
the end. Nothing here installs anything.
"""

import http.client
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from facefusion_live import __version__
from facefusion_live.domain.errors import ModelStoreError

_CHUNK_BYTES = 256 * 1024
_TIMEOUT_S = 30.0
_TRIES = 4
_FIRST_PAUSE_S, _MOST_PAUSE_S = 1.0, 30.0
_TEMPORARY = frozenset({408, 425, 429, 500, 502, 503, 504})
_MOST_BYTES = 16 * 1024**3
"""Where neither card nor server tell a size, no more than this is taken."""
_PAGES = ("text/", "application/xhtml", "application/json", "application/xml")
"""Kinds of content that no model has: a login page, or an error told with status 200."""

Told = Callable[[int, int | None], None]
"""Hears how many bytes are there, and how many there will be, where that is known."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file to be fetched.

    Attributes:
        urls: Its addresses, best first.
        part: Where it is gathered; `<name>.part`.
        size: Bytes it must have; None when nobody knows.
        known: Its SHA-256 is known, so that a wrong piece cannot go unnoticed.
    """

    urls: tuple[str, ...]
    part: Path
    size: int | None
    known: bool


class _TemporaryError(Exception):
    """Trying the same address again may help.

    Args:
        words: What happened.
        pause_s: How long the server asks to wait, if it does.
    """

    def __init__(self, words: str, pause_s: float | None = None) -> None:
        super().__init__(words)
        self.pause_s = pause_s


class _MirrorError(Exception):
    """This address is of no use; another one may be."""


class HttpDownload:
    """Fetches files. Thread: any, one fetch at a time for each part.

    Args:
        sleep: Waits between tries.
        timeout_s: How long a server may be silent.
    """

    def __init__(self, sleep: Callable[[float], None] = time.sleep, timeout_s: float = _TIMEOUT_S) -> None:
        self._sleep, self._timeout_s = sleep, timeout_s
        self._opener = urllib.request.build_opener(_SafeRedirects)

    def fetch(self, wanted: Wanted, check: Callable[[Path], str], told: Told) -> str:
        """Bring the whole file into its part.

        Args:
            wanted: What.
            check: Looks at a part that is whole; returns what is wrong with it, or nothing. A part that is wrong is
                thrown away, and the next address is asked.
            told: Hears of progress.

        Returns:
            The address it came from.

        Raises:
            ModelStoreError: No address gave it, or there is no space. What arrived is kept for the next call.
        """
        if wanted.part.is_symlink() or _state_file(wanted.part).is_symlink():
            forget(wanted.part)  # never written through to somewhere else
        failures = []
        for url in wanted.urls:
            try:
                wrong = self._whole(url, wanted, check, told)
            except _MirrorError as error:
                wrong = str(error)
            if not wrong:
                return url
            failures.append(f"{_host(url)}: {wrong}")
        name = wanted.part.name.removesuffix(".part")
        raise ModelStoreError(
            f"{name} could not be fetched ({'; '.join(failures)})",
            advice="Try again later, or get the file elsewhere and call: facefusion-live models add FILE",
        )

    def _whole(self, url: str, wanted: Wanted, check: Callable[[Path], str], told: Told) -> str:
        """Everything from one address; what is wrong with it, or nothing."""
        resumed = _length(wanted.part) > 0
        self._patiently(url, wanted, told)
        wrong = check(wanted.part)
        if wrong:
            forget(wanted.part)
        if wrong and resumed:  # the piece may have been of another version
            return self._whole(url, wanted, check, told)
        return wrong

    def _patiently(self, url: str, wanted: Wanted, told: Told) -> None:
        pause_s = _FIRST_PAUSE_S
        for left in reversed(range(_TRIES)):
            before = _length(wanted.part)
            try:
                self._once(url, wanted, told)
            except _TemporaryError as error:
                if not left:
                    raise _MirrorError(str(error)) from error
                # A server that gives a piece each time is not asked to wait longer and longer.
                pause_s = _FIRST_PAUSE_S if _length(wanted.part) > before else pause_s * 2
                self._sleep(min(error.pause_s or pause_s, _MOST_PAUSE_S))
            else:
                return

    def _once(self, url: str, wanted: Wanted, told: Told) -> None:
        have, state = _length(wanted.part), _state(wanted.part)
        same = wanted.known or (state.get("url") == url and bool(state.get("version")))
        have = have if same else 0
        if have and have == wanted.size:
            return
        request = urllib.request.Request(url, headers=_headers(have, state, url))  # noqa: S310 (cards hold https only)
        try:
            response = self._opener.open(request, timeout=self._timeout_s)
        except urllib.error.HTTPError as error:
            with error:
                self._refused(error, wanted, have)
            return
        except http.client.HTTPException as error:
            raise _TemporaryError("broke off") from error
        except OSError as error:  # a URLError, or what the socket or TLS said while the answer's head was read
            raise _TemporaryError(_words(error)) from error
        with response:
            self._take(response, url, wanted, have, told)

    def _refused(self, error: urllib.error.HTTPError, wanted: Wanted, have: int) -> None:
        if error.code == 416 and have:
            total = error.headers.get("Content-Range", "").rpartition("/")[2]
            if total == str(have):
                return  # everything is there already: it was killed between the last byte and the installation
            forget(wanted.part)
            raise _TemporaryError("has another version of the file by now", 0.01)
        if error.code in _TEMPORARY:
            raise _TemporaryError(f"answers {error.code}", _asked_pause_s(error.headers))
        raise _MirrorError(f"answers {error.code}")

    def _take(self, response: Any, url: str, wanted: Wanted, have: int, told: Told) -> None:  # noqa: ANN401
        headers: Message = response.headers
        kind = headers.get_content_type() if "Content-Type" in headers else ""
        if kind.startswith(_PAGES):
            raise _MirrorError(f"sends {kind}, which is no model")
        goes_on = response.status == 206
        if goes_on and not headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            raise _MirrorError("sends another piece than it was asked for")
        start = have if goes_on else 0
        length = headers.get("Content-Length", "")
        total = start + int(length) if length.isdigit() else None
        if wanted.size is not None and total not in (None, wanted.size):
            raise _MirrorError(f"has a file of {total} bytes, the card tells of {wanted.size}")
        _keep_state(wanted.part, url, headers)
        try:
            with wanted.part.open("r+b" if wanted.part.exists() else "xb") as file:
                file.truncate(start)
                file.seek(start)
                _copy(response, file, start, total or wanted.size, told)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise _unwritten(error, wanted.part) from error
        if total is not None and _length(wanted.part) < total:
            raise _TemporaryError("broke off")


def forget(part: Path) -> None:
    """Throw away what has arrived of a file."""
    part.unlink(missing_ok=True)
    _state_file(part).unlink(missing_ok=True)


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but never from a protected address to an open one."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        if req.type == "https" and urlsplit(newurl).scheme != "https":
            raise _MirrorError("leads to an address that is not protected")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _headers(have: int, state: Mapping[str, str], url: str) -> dict[str, str]:
    headers = {"User-Agent": f"facefusion-live/{__version__}", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
        # Only the server that gave it knows its version; of others the SHA-256 will tell.
        if state.get("url") == url and state.get("version"):
            headers["If-Range"] = state["version"]
    return headers


def _copy(response: Any, file: IO[bytes], start: int, total: int | None, told: Told) -> None:  # noqa: ANN401
    at = start
    told(at, total)
    while piece := _piece(response):
        if at + len(piece) > (total or _MOST_BYTES):
            raise _MirrorError("sends more than it told of")
        file.write(piece)
        at += len(piece)
        told(at, total)


def _piece(response: Any) -> bytes:  # noqa: ANN401
    """Some bytes. Whatever fails here is the network, a broken TLS record included, and nothing else is."""
    try:
        return response.read(_CHUNK_BYTES)
    except (OSError, http.client.HTTPException) as error:
        raise _TemporaryError("broke off") from error


def _unwritten(error: OSError, part: Path) -> ModelStoreError:
    """What the disk said; a disk of the network may say that it timed out."""
    words = f"{part.name.removesuffix('.part')} cannot be written: {os.strerror(error.errno or 0)}"
    return ModelStoreError(words, advice="Make room or check the folder's rights, then call again: it goes on there.")


def _keep_state(part: Path, url: str, headers: Message) -> None:
    etag = headers.get("ETag", "")
    # A weak ETag does not promise the same bytes.
    version = etag if etag and not etag.startswith("W/") else headers.get("Last-Modified", "")
    try:
        _state_file(part).write_text(json.dumps({"url": url, "version": version}), "utf-8")
    except OSError as error:
        raise _unwritten(error, part) from error


def _state(part: Path) -> dict[str, str]:
    with suppress(OSError, ValueError):
        state = json.loads(_state_file(part).read_text("utf-8"))
        if isinstance(state, dict):
            return {str(key): str(value) for key, value in state.items()}
    return {}


def _state_file(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _length(part: Path) -> int:
    try:
        return part.stat().st_size
    except FileNotFoundError:
        return 0


def _asked_pause_s(headers: Message) -> float | None:
    asked = headers.get("Retry-After", "")
    return float(asked) if asked.isdigit() else None


def _words(error: OSError) -> str:
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, TimeoutError):
        return "does not answer"
    return f"cannot be reached ({type(reason).__name__})"


def _host(url: str) -> str:
    return urlsplit(url).hostname or url
