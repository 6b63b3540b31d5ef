"""What is said from below the window is found again among the sentences that translators get."""

import ast
import builtins
import errno
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication

from facefusion_live.domain.limits import STEADY, LimitWatch, Readings
from facefusion_live.gui.sentence_list import SENTENCES
from facefusion_live.gui.sentences import HOLE, translated
from facefusion_live.gui.words import Words, engine_words, sentence
from tests.support import ROOT


def test_every_sentence_is_still_said_somewhere() -> None:
    """The longest piece between two holes stands in the source, maybe broken over lines or made of parts."""
    below = [
        path
        for floor in ("domain", "engine", "adapters", "app")
        for path in (ROOT / "facefusion_live" / floor).rglob("*.py")
    ]
    said = "\n".join(path.read_text("utf-8") for path in below)
    system = {os.strerror(number) for number in errno.errorcode}
    pieces = {each: max(re.split(r"\{\}|: |, ", each), key=len) for each in SENTENCES if each not in system}
    unsaid = [each for each, piece in pieces.items() if piece not in said]
    assert [each for each in unsaid if each.replace(" ", "_") not in said] == []  # a word of the record, read out


FLOORS = ("adapters/capture", "adapters/sinks", "adapters/microphone", "adapters/remote", "app", "engine")
FOR_COMMANDS = (
    "app/audit_forwarding.py", "app/audit_retention.py", "app/audit_wiring.py", "app/consent_desk.py", "app/feed.py",
    "app/mark_reading.py", "app/model_store.py", "app/model_wiring.py", "app/outputs.py", "app/running.py",
    "app/provenance_wiring.py", "app/audit_bench.py", "app/benchmark.py", "app/doctor.py", "app/bench_compare.py",
    "app/paste_bench.py", "app/render_bench.py", "app/script_arguments.py", "app/model_bench.py",
    "app/model_optimiser.py",
)  # fmt: skip
FOR_DEVELOPERS = ("engine/buffers.py", "engine/memory.py", "engine/trail.py", "engine/trail_intake.py")
UNSEEN = {
    "{}: {}",
    "the microphone is closed",
    "{} was opened for other pictures than {}",
    "synthetic: the demo clip cannot be read from the start again",
    "Say synthetic, or synthetic:WIDTHxHEIGHT:FACESxFACE_WIDTH like synthetic:1920x1080:3x360.",
    "Add --consent (in a script: consent=) and one of {}, if it is true.",
    "{}: a consent is kept on record only",
    "Leave audit switched on the first time, or use facefusion-live consent grant.",
    "there is no one consent {}",
    "See facefusion-live consent list.",
    "the name of the source picture is empty",
    "there is no source picture",
    "Add --source and a portrait, or an avatar's name.",
    "{} draws the one person that it was trained on, and no other",
    "Leave out --source.",
    "{} is no consent",
    "Say one of {}, if it is true.",
    "a morph of {} s is not allowed",
    "a microphone is heard live only",
    "nobody is enrolled",
    "Leave out --offline, or set sound.source to auto.",
    "the audit writer broke: {}",
    "the pruning could not be put on record; nothing was deleted",
}
"""What the window never lets happen, or what only commands and developers see."""


def said(path: Path) -> Iterator[str]:
    """Every text of an error, its advice, or a notice, in a module; holes for what is put in."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            called, given = node.func.id, [*node.args, *(each.value for each in node.keywords)]
            if called == "Notice" or (called.endswith("Error") and called not in dir(builtins)):
                yield from (text for each in given if (text := template(each)))


def template(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(part.value if isinstance(part, ast.Constant) else HOLE for part in parts)  # type: ignore[misc]
        case _:
            return ""


def test_whatever_people_are_told_can_be_translated() -> None:
    skipped = {*FOR_COMMANDS, *FOR_DEVELOPERS}
    package = ROOT / "facefusion_live"
    paths = [path for floor in FLOORS for path in sorted((package / floor).rglob("*.py"))]
    unknown = [
        f"{path.relative_to(package)}: {text}"
        for path in paths
        if path.relative_to(package).as_posix() not in skipped
        for text in said(path)
        if " " in text and text not in UNSEEN
        if not any(known in SENTENCES for known in looked_up(text.format(*range(10, 20))))
    ]
    assert unknown == []


VERIFICATION = (
    "domain/audit/verify.py", "domain/audit/chain.py", "domain/audit/seal_check.py", "domain/audit/mirror_check.py",
    "domain/audit/anchors.py", "domain/audit/selection.py", "domain/audit/canonical.py", "adapters/storage/reader.py",
    "adapters/storage/tip.py", "adapters/storage/archive.py",
)  # fmt: skip
"""Whatever has a blank in these is told to people, when the record is verified."""
ERRORS_OF_EVIDENCE = ("domain/audit/event.py", "domain/audit/note.py", "adapters/storage/database.py")
TO_NOBODY = {"a row has a number from 1 on", "dict[str, Any]"}


def test_whatever_verification_finds_can_be_translated() -> None:
    package = ROOT / "facefusion_live"
    told = [(name, text) for name in VERIFICATION for text in literals(package / name)]
    told += [(name, text) for name in ERRORS_OF_EVIDENCE for text in said(package / name)]
    assert len(told) > 100
    unknown = [
        f"{name}: {text}"
        for name, text in told
        if " " in text.strip() and text not in {*TO_NOBODY, *GENERIC} and not text.startswith("SELECT ")
        if not any(known in SENTENCES for known in looked_up(text.replace(HOLE, "17")) if known not in GENERIC)
    ]
    assert unknown == []


GENERIC = {"{}: {}", "{}. {}"}


def literals(path: Path) -> Iterator[str]:
    """Every text of a module that is no docstring; holes for what is put in."""
    tree = ast.parse(path.read_text("utf-8"))
    inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    described = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.expr) and id(node) not in inner | described and (text := template(node)):
            yield text


def looked_up(text: str) -> list[str]:
    asked: list[str] = []
    translated(text, lambda each: asked.append(each) or each)  # type: ignore[func-returns-value]
    return asked


def test_a_reason_within_a_sentence_is_translated_too() -> None:
    words = {
        "the output {} failed: {}": "<output {}: {}>",
        "{}: the recording cannot be started: {}": "<recording {}: {}>",
        "No space left on device": "<full>",
    }
    text = "the output recording failed: film.mp4: the recording cannot be started: No space left on device"
    assert translated(text, lambda each: words.get(each, each)) == "<output recording: <recording film.mp4: <full>>>"
    assert translated("no display; No space left on device", lambda each: words.get(each, each)) == "no display; <full>"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("the input has ended", "The input has ended."),
        ("clip.mp4: there is no such file", "clip.mp4: there is no such file."),
        ("passwd: this is not a video", "passwd: this is not a video."),
        ("session.toml cannot be read", "session.toml cannot be read."),
        ("输入已结束", "输入已结束。"),
        ("Nothing more!", "Nothing more!"),
        ("", ""),
    ],
)
def test_errors_stand_as_sentences_and_names_as_they_are(text: str, shown: str) -> None:
    assert sentence(text) == shown


@pytest.mark.parametrize("sentence", SENTENCES)
def test_what_fills_the_holes_comes_through(sentence: str) -> None:
    fillings = [f"word-{at}" for at in range(sentence.count(HOLE))]
    assert translated(sentence.format(*fillings), lambda found: f"<{found}>") == f"<{sentence.format(*fillings)}>"


def test_an_unknown_sentence_stays_as_it_is() -> None:
    assert translated("the moon is full", lambda each: each) == "the moon is full"


def test_warnings_are_told_in_the_language_shown_and_name_the_slider(qapp: QCoreApplication) -> None:
    slow = Readings(
        fps_captured=30.0, fps_swapped=9.0, latency_p95_ms=180.0, memory_free_mib=9000.0, gpu_memory_free_mib=None,
        disk_free_mib=None, disk_mib_per_s=0.0,
    )  # fmt: skip
    watch = LimitWatch()
    warnings = [each for _ in range(STEADY) for each in watch.note(slow)]
    assert len(warnings) == 2
    assert all("swap.max_crop_px" in each for each in warnings)
    assert all("swap.max_crop_px" not in engine_words(each) for each in warnings)
    words = Words(qapp, "zh_CN")
    try:
        shown = [engine_words(each) for each in warnings]
    finally:
        words.speak("en")
        words.deleteLater()
    assert all(re.search("[\u4e00-\u9fff]", each) and not re.search("[a-z]{3}", each) for each in shown), shown
    assert "9" in shown[0]
    assert "30" in shown[0]


COMMANDS = (
    "If it may be used: facefusion-live consent grant PHOTO --kind written --until DAY --renew.",
    "If it may be used: facefusion-live consent grant PHOTO --kind self --renew.",
    "If it may be used: facefusion-live consent approve 1a2b --code CODE.",
)


@pytest.mark.parametrize("advice", COMMANDS)
@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_the_window_names_buttons_where_commands_have_blanks(
    advice: str, language: str, request: pytest.FixtureRequest
) -> None:
    words = Words(request.getfixturevalue("qapp"), language)  # type: ignore[arg-type]
    try:
        said = engine_words(advice)
    finally:
        words.speak("en")
    button = {"en": ("Approve…", "Renew…"), "zh_CN": ("批准…", "续期…")}[language]
    assert button["grant" in advice] in said
    assert "--" not in said
    assert ("若可以使用" in said) == (language == "zh_CN")
