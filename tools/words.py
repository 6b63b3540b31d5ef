"""Gather the window's words for the translators, and compile what they wrote.

    python -m tools.words           update resources/words/*.ts from the code, then compile them
    python -m tools.words --check   say what is missing, unfinished or stale; exit 1 if anything is

English stands in the code. Words that stand in tables (settings, actions, panels, states of the engine) are not seen
by lupdate: they are written out for it first.
"""

import argparse
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

from facefusion_live.domain.ports import SinkState
from facefusion_live.engine.gate import Block, Fault
from facefusion_live.gui.advice import IN_THE_WINDOW
from facefusion_live.gui.hotkeys import DEEDS
from facefusion_live.gui.panels import PANELS
from facefusion_live.gui.sentence_list import SENTENCES
from facefusion_live.gui.widgets.setting_words import every_word

ROOT = Path(__file__).resolve().parents[1]
WORDS = ROOT / "resources" / "words"
LANGUAGES = ("zh_CN",)
_ENGINE = (
    "on record",
    "demo clip",
    *SENTENCES,
    *IN_THE_WINDOW,
    *(fault.value for fault in Fault),
    *(block.value for block in Block),
    *(state.value for state in SinkState),
)


def table_words() -> Iterator[tuple[str, str]]:
    """(context, English) of every word that stands in a table."""
    yield from (("Settings", word) for word in every_word())
    yield from (("Deeds", deed.words) for deed in DEEDS)
    yield from (("Panel", panel.title) for panel in PANELS)
    yield from (("Engine", word) for word in _ENGINE)


def update(language: str, folder: Path) -> Path:
    """Bring a language's file up to date with the code; returns the file in `folder`."""
    target = folder / f"facefusion_live_{language}.ts"
    kept = WORDS / target.name
    if kept.exists() and kept != target:
        target.write_bytes(kept.read_bytes())
    with tempfile.TemporaryDirectory() as scratch:
        tables = Path(scratch) / "tables.py"
        lines = (f"QCoreApplication.translate({context!r}, {word!r})" for context, word in dict.fromkeys(table_words()))
        tables.write_text("\n".join(lines), "utf-8")
        sources = sorted((ROOT / "facefusion_live" / "gui").rglob("*.py"))
        options = ["-locations", "none", "-no-obsolete", "-silent", "-source-language", "en"]
        _run("lupdate", *options, *map(str, sources), str(tables), "-ts", str(target))
    return target


def compiled(file: Path) -> Path:
    """Compile a language's file; returns what the program reads."""
    target = file.with_suffix(".qm")
    _run("lrelease", "-silent", str(file), "-qm", str(target))
    return target


def problems(language: str) -> list[str]:
    """What is wrong with a language's files, in words."""
    with tempfile.TemporaryDirectory() as scratch:
        fresh = update(language, Path(scratch))
        kept = WORDS / fresh.name
        found = [f"{language}: no words for {text!r}" for text in _unfinished(fresh)]
        if _messages(fresh) != _messages(kept):
            found.append(f"{kept.name} is older than the code: run python -m tools.words")
        if compiled(fresh).read_bytes() != kept.with_suffix(".qm").read_bytes():
            found.append(f"{kept.stem}.qm is older than the .ts: run python -m tools.words")
    return found


def _messages(file: Path) -> set[tuple[str, str]]:
    tree = ET.parse(file)  # noqa: S314 (our own file)
    return {
        (context.findtext("name", ""), message.findtext("source", ""))
        for context in tree.iter("context")
        for message in context.iter("message")
    }


def _unfinished(file: Path) -> list[str]:
    tree = ET.parse(file)  # noqa: S314 (our own file)
    return [
        message.findtext("source", "")
        for message in tree.iter("message")
        if any(translation.get("type") == "unfinished" for translation in message.iter("translation"))
    ]


def _run(program: str, *arguments: str) -> None:
    script = f"from PySide6.scripts.pyside_tool import {program}; {program}()"
    subprocess.run([sys.executable, "-c", script, *arguments], check=True)


def main() -> int:
    """Run the tool; returns the exit code."""
    parser = argparse.ArgumentParser(description="Words of the window, for translators.")
    parser.add_argument("--check", action="store_true")
    checking = parser.parse_args().check
    for language in LANGUAGES:
        if checking:
            found = problems(language)
            print("\n".join(found) or f"{language}: complete")
            if found:
                return 1
        else:
            file = update(language, WORDS)
            compiled(file)
            print(f"{file.name}: {len(_unfinished(file))} without words")
    return 0


if __name__ == "__main__":
    sys.exit(main())
