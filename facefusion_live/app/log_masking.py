"""The program's log without people in it: what is masked in the audit trail is masked there, too.

The log is for developers, and users hand it over with a report. So a path, a file's name, an address or a stream's key
becomes its kind, "<path>", and never a digest that somebody could test a guess against. What our own code says around
it stays, and so do the places of a traceback.
"""

import logging
import re
from collections.abc import Mapping
from copy import copy
from pathlib import PurePath
from typing import Any

from facefusion_live.domain.audit.traces import without_traces

_ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s'\"<>]*[^\s'\"<>:;,.()\[\]]", re.IGNORECASE)
"""Ends with its last sign that does not belong to the sentence around it."""
_FRAME = re.compile(r'(\s*)File "([^"]+)", line (\d+)(?:, in (\S+))?')
_PARTS = re.compile(r"(: |; |, (?=errno|line)|\n)")
"""Behind one of these another thing is told: a path does not swallow the reason that stands after it."""
_PLAIN = (int, float, type(None))


class MaskedFormatter(logging.Formatter):
    """Writes records with what they were given masked; the words of our own code are no secret."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, and below it the traceback, if there is one."""
        record = copy(record)
        match record.args:
            case Mapping():
                record.args = {name: _masked(value) for name, value in record.args.items()}
            case tuple():
                record.args = tuple(map(_masked, record.args))
            case None:
                pass
        record.exc_text = None  # another handler may have written it
        return super().format(record)

    def formatException(self, ei: Any) -> str:  # noqa: ANN401, N802 (logging's name; its type has none in public)
        """The traceback, with modules for files and the error's words masked."""
        return masked(super().formatException(ei))


def masked(text: str) -> str:
    """A text of one or more lines without paths, names of files, addresses of machines and of people."""
    return "\n".join(_line(line) for line in text.split("\n"))


def _masked(value: object) -> object:
    return value if isinstance(value, _PLAIN) else masked(str(value))


def _line(line: str) -> str:
    if frame := _FRAME.match(line):
        blank, file, number, name = frame.groups()
        return f"{blank}{_module(file)}:{number}" + (f" in {name}" if name else "")
    parts = _PARTS.split(_ADDRESS.sub("<address>", line))
    parts[::2] = [without_traces(part, lambda kind, _found: f"<{kind}>") for part in parts[::2]]
    return "".join(parts)


def _module(file: str) -> str:
    """Where a line of code stands: its module, without the folders above the package."""
    parts = PurePath(file).with_suffix("").parts
    begin = max((at for at, part in enumerate(parts) if part in {"facefusion_live", "site-packages"}), default=-2)
    inside = parts[begin:] if begin >= 0 and parts[begin] == "facefusion_live" else parts[begin + 1 :]
    return ".".join(inside[-6:] if begin >= 0 else parts[-1:])
