"""What people read: it builds, its links lead somewhere, and its commands are ones that the program takes."""

import ast
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from facefusion_live.cli.main import app
from facefusion_live.cli.parameters import take_parameters
from tests.support import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
_FENCE = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")


def named(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs")
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "true", "DISABLE_MKDOCS_2_WARNING": "true"}
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    shown = (tmp_path / "site" / "first-steps-streamer" / "index.html").read_text("utf-8")
    assert "First steps for streamers" in shown
    assert "fonts.googleapis" not in shown, "nothing is fetched from elsewhere"


def test_every_page_of_the_docs_is_in_the_navigation() -> None:
    written = (ROOT / "mkdocs.yml").read_text("utf-8")
    pages = [page.relative_to(ROOT / "docs").as_posix() for page in PAGES if page.is_relative_to(ROOT / "docs")]
    assert [page for page in pages if page not in written] == []


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", title.lower()) for title in titles)
    return {re.sub(r" ", "-", title.strip()) for title in plain}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page: Path) -> None:
    dead: list[str] = []
    for link in _LINK.findall(page.read_text("utf-8")):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            dead.append(link)
    assert dead == []


def commands() -> Iterator[tuple[str, str]]:
    """Every line of a block that starts the program, with its page."""
    for page in PAGES:
        for block in _FENCE.findall(page.read_text("utf-8")):
            for line in block.replace("\\\n", " ").splitlines():
                words = line.strip().removeprefix("$ ")
                if re.match(r"(\S*/)?facefusion-live( |$)", words):
                    yield named(page), words


COMMANDS = sorted(set(commands()))


def test_there_are_commands() -> None:
    assert len(COMMANDS) > 40


@pytest.mark.parametrize(("page", "line"), COMMANDS, ids=[f"{page}: {line[:60]}" for page, line in COMMANDS])
def test_a_command_is_one_that_the_program_takes(page: str, line: str) -> None:
    assert page
    words = shlex.split(line, comments=True)[1:]
    for left_out in ("...", "…"):
        if left_out in words:
            asked = [("--source", "ada"), ("--input", "synthetic")]
            left = [word for flag, value in asked if flag not in words for word in (flag, value)]
            words[words.index(left_out) : words.index(left_out) + 1] = left
    rest, _ = take_parameters(words)
    app.parse_args(rest, print_error=False, exit_on_error=False)


def test_the_troubleshooting_page_knows_what_doctor_says() -> None:
    page = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
    tree = ast.parse((ROOT / "facefusion_live" / "app" / "probe_wiring.py").read_text("utf-8"))
    groups = {
        str(word.value.value)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        for word in call.keywords
        if word.arg == "group" and isinstance(word.value, ast.Constant)
    }
    assert len(groups) > 8
    assert [group for group in groups if f"\n| {group} |" not in page] == []
    quoted = re.findall(r'"([A-Z][^"]+\.)"', page)
    written = "".join(file.read_text("utf-8") for file in (ROOT / "facefusion_live" / "app").glob("*.py"))
    assert quoted
    assert [words for words in quoted if words not in written] == []


def test_the_site_shows_the_programs_own_icon() -> None:
    shown, own = ROOT / "docs" / "images" / "facefusion-live.svg", ROOT / "resources" / "icons" / "facefusion-live.svg"
    assert shown.read_bytes() == own.read_bytes()
