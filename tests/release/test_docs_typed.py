"""What README and docs let people type besides the program's own commands, which test_docs_run.py has.

Each such line, in a block or within a sentence, is taken by whatever it calls: a tool by its parser, pytest by
collecting, pip by the extras there are. What does the deed itself stands beside it in `DONE_BY`; what cannot be done
here has its reason there.
"""

import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import cyclopts
import pytest

from facefusion_live.cli.main import app
from facefusion_live.cli.parameters import take_parameters
from tests.release.test_docs import COMMANDS, PAGES, named
from tests.support import ROOT

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_DOCUMENT = re.compile(r"<<'(\w+)'\n.*?^\1$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_OWN = re.compile(r"(\.venv/bin/)?facefusion-live( |$)")
_CALLS = re.compile(r"(\S*/)?(python3?|pip|pytest|pyinstaller|bash|docker|mkdocs|cat|openssl|sudo|curl|git) ")
"""Where a span in a sentence is something to type."""

DONE_BY = {
    r"pip install -q -e \. && \S+/facefusion-live demo": ".ci/run does this very line of the README",
    r'pip install -q -e "\.\[test\]" && \S+/python -m pytest': ".ci/run does this very line of the README",
    r'pip install (-q )?-e "\.\[': "the network; the extras are looked up here, .ci/run installs most of them",
    r"pip install \S?(facefusion-live|\.)\[": "the network; the extras are looked up here",
    r"^pip install$": "a word of a sentence",
    r"^bash \.ci/run$": "what runs these tests",
    r"^\S*python -m pytest$": "these tests",
    r"pytest .*(tests/|-m soak)": "minutes; what it names is collected here",
    r"^docker (build|run) ": "an engine: tests/release/test_container.py reads the files",
    r"^(\w+=\S+ )+docker compose ": "as above",
    r"pyinstaller build\.spec$": "tests/release/conftest.py",
    r"python -m release\.debian ": "tests/release/test_frozen.py",
    r"python -m release\.trial ": "tests/release/test_wheel.py",
    r"^python -m build$": "tests/release/test_wheel.py",
    r"^python audit_verify\.py ": "tests/flow/audit/test_audit_page.py",
    r"^openssl ts ": "an authority of time stamps; the note that it stamps is tests/flow/audit/test_audit_page.py's",
    r"^(cat > by_hand\.py|python3 by_hand\.py$)": "tests/flow/audit/test_audit_page.py",
    r"python -m tools\.make_models_page$": "tests/tools/test_models_page.py",
    r"python -m tools\.make_settings_page$": "tests/tools/test_settings_page.py",
    r"python -m tools\.rebuild_models ": "tests/tools/test_rebuild_models.py",
    r"python -m tools\.words$": "tests/gui/test_qt.py",
    r"python -m tools\.soak_live ": "tests/tools/test_soak_live.py",
    r"python -m tools\.measure_(lag|people|remote|governor)\b": "tests/tools: a small one of each",
    r"python tools/quality\.py ": "tests/tools/test_quality.py",
    r"python -m tools\.measure_": "minutes, by hand, on a machine at rest; what it is told is parsed here",
    r"python -m tools\.(screenshots|case_sheet)\b": "by hand, for the eye; what it is told is parsed here",
    r"python -m tools\.quality_table\b": "a quarter of an hour; what it is told is parsed here",
    r"python -m tests\.faults\.runs ": "minutes: tests/faults/test_random_faults.py calls it",
    r"python tests/flow/studio/switches_run\.py ": "minutes: tests/flow/studio/test_studio_engines.py calls it",
}
"""By a pattern of the line, which is looked for in this order: the test or script that does it, or why none does."""


def plain(line: str) -> str:
    """A line without what is said about it."""
    return re.sub(r"(^| )#( .*)?$", "", " ".join(line.split())).strip()


def halves(line: str) -> Iterator[str]:
    """A line, and the other way to do the same that is told behind it."""
    yield from (plain(part) for part in re.split(r"# or: ", line) if plain(part))


def typed() -> Iterator[tuple[str, str]]:
    """Every line of the blocks of commands, and whatever a sentence quotes of that sort, with its page."""
    for page in PAGES:
        text = page.read_text("utf-8")
        for language, block in _FENCE.findall(text):
            if language == "sh":
                lines = _DOCUMENT.sub("", block).replace("\\\n", " ").splitlines()
                yield from ((named(page), half) for line in lines for half in halves(line))
        spans = _SPAN.findall(_FENCE.sub("", text))
        yield from ((named(page), plain(span)) for span in spans if _CALLS.match(span) or _OWN.match(span))


TYPED = sorted(set(typed()))
_IN_BLOCKS = {(page, plain(line)) for page, line in COMMANDS}
OWN = [(page, line) for page, line in TYPED if _OWN.match(line) and (page, line) not in _IN_BLOCKS]
OTHERS = [(page, line) for page, line in TYPED if not _OWN.match(line)]


def ids(lines: list[tuple[str, str]]) -> list[str]:
    return [f"{page}: {line[:60]}" for page, line in lines]


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_each_block_says_what_it_holds(page: Path) -> None:
    """Otherwise a block of commands could pass for a drawing."""
    languages = [language for language, _ in _FENCE.findall(page.read_text("utf-8"))]
    assert set(languages) <= {"sh", "text", "python", "toml"}
    assert len(languages) * 2 == len(re.findall(r"^\s*```", page.read_text("utf-8"), re.MULTILINE))


def test_no_drawing_is_a_command() -> None:
    drawn = [
        line
        for page in PAGES
        for language, block in _FENCE.findall(page.read_text("utf-8"))
        if language == "text"
        for line in block.splitlines()
        if _CALLS.match(line) or _OWN.match(line)
    ]
    assert drawn == []


def test_each_line_is_done_by_something_and_every_reason_is_used() -> None:
    assert len(OTHERS) > 30
    assert [line for _, line in OTHERS if not any(re.search(pattern, line) for pattern in DONE_BY)] == []
    assert [pattern for pattern in DONE_BY if not any(re.search(pattern, line) for _, line in OTHERS)] == []


def test_what_does_it_is_there() -> None:
    told = {path for how in DONE_BY.values() for path in re.findall(r"(?:tests/|\.ci/|docs/)[\w./]*\w", how)}
    assert len(told) > 8
    assert [path for path in told if not (ROOT / path).exists()] == []


def test_ci_does_the_two_lines_of_the_readme() -> None:
    ci = (ROOT / ".ci" / "run").read_text("utf-8")
    sought = [re.sub(r"\\([()])", r"\1", each) for each in re.findall(r"sed -n 's/(.+)/\\1/p' README\.md", ci)]
    lines = [line for page, line in OTHERS if page == "README.md"]
    assert len(sought) == len(lines) == 2
    assert [line for line in lines if not any(re.search(pattern, line) for pattern in sought)] == []


@pytest.mark.parametrize(("page", "line"), OWN, ids=ids(OWN))
def test_what_a_sentence_quotes_is_a_command_of_the_program(page: str, line: str) -> None:
    """With or without what belongs behind it; `a|b` is one of several."""
    assert page
    heads, alternatives = line.split(" ")[1:], [""]
    if heads and "|" in heads[-1]:
        alternatives = heads.pop().split("|")
    for last in alternatives:
        words, _ = take_parameters([*heads, last] if last else heads)
        with suppress(cyclopts.MissingArgumentError):
            app.parse_args(words, print_error=False, exit_on_error=False)


PARSES = """
import argparse, runpy, sys
parse = argparse.ArgumentParser.parse_args
def parsed(*args, **named):
    parse(*args, **named)
    print("taken")
    sys.exit(0)
argparse.ArgumentParser.parse_args = parsed
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


def tools() -> Iterator[tuple[str, ...]]:
    """Module and words of each line that calls a tool which has a parser."""
    for _, line in OTHERS:
        if found := re.match(r"python (?:-m (tools\.\w+)|tools/(\w+)\.py)(.*)", line):
            module = found[1] or f"tools.{found[2]}"
            assert find_spec(module), line
            if "parse_args" in Path(str(find_spec(module).origin)).read_text("utf-8"):
                yield module, *shlex.split(found[3])


TOOLS = sorted(set(tools()))


def test_most_tools_have_a_parser() -> None:
    assert len({module for module, *_ in TOOLS}) > 10


@pytest.mark.parametrize("words", TOOLS, ids=" ".join)
def test_a_tool_takes_the_words_of_the_page(words: tuple[str, ...]) -> None:
    done = subprocess.run([sys.executable, "-c", PARSES, *words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "taken\n"), done.stderr


ASKED_OF_PYTEST = sorted(
    {line.partition("pytest ")[2] for _, line in OTHERS if "pytest " in line and " tests/" in line}
)


def collected(*words: str) -> list[str]:
    """The tests that pytest finds, by name."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    return [line for line in done.stdout.splitlines() if "::" in line]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("mark", ["soak", "not soak"])
def test_pytest_finds_what_the_pages_name(mark: str) -> None:
    asked = [shlex.split(words) for words in ASKED_OF_PYTEST if ("-m soak" in words) == (mark == "soak")]
    folders = sorted({word for words in asked for word in words if word.startswith("tests/")})
    assert folders
    found = collected("-m", mark, *folders)
    for words in asked:
        part = words[words.index("-k") + 1] if "-k" in words else ""
        for folder in (word for word in words if word.startswith("tests/")):
            assert [name for name in found if name.startswith(folder) and part in name], (words, folder)


def test_every_extra_that_is_asked_of_pip_exists() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    asked = {
        name
        for _, line in OTHERS
        if "install" in line
        for told in re.findall(r"\[([\w,-]+)\]", line)
        for name in told.split(",")
    }
    assert asked
    assert asked <= extras.keys()


def test_the_container_is_built_from_files_that_are_there() -> None:
    files = {name for _, line in OTHERS if "docker" in line for name in re.findall(r"-f (\S+)", line)}
    assert len(files) == 2
    assert [name for name in files if not (ROOT / name).is_file()] == []
