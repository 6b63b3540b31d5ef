"""`models`: as people use it, with the user's own cards in a folder of their own."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from facefusion_live.app.audit_wiring import AuditHome, Filter
from facefusion_live.cli.main import run_command_line
from facefusion_live.domain import model_card
from tests.adapters import onnx_graphs
from tests.adapters.web_server import Server, serving

MINE = """
id = "mine"
task = "converter"
vendor = "Somebody"
licence = "non-commercial: only for tests"
file = "mine.onnx"
urls = ["{url}"]
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FACEFUSION_LIVE_HOME", str(tmp_path / "home"))
    (tmp_path / "home" / "models").mkdir(parents=True)
    return tmp_path / "home"


@pytest.fixture
def server(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    body = onnx_graphs.scaling_converter(tmp_path / "made.onnx", 512, 2.0, 0.5).read_bytes()
    # Cards hold protected addresses only; a server of a test has no certificate.
    monkeypatch.setattr(model_card, "_URL", model_card.re.compile(r"https?://\S+"))
    with serving(body) as there:
        (home / "models" / "mine.toml").write_text(MINE.format(url=f"{there.url}/mine.onnx"), "utf-8")
        yield there


def told(capsys: pytest.CaptureFixture[str], *words: str) -> dict:
    assert run_command_line(["models", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def rows(home: Path) -> list[dict]:
    return AuditHome(home).reader().query(Filter(action="consent.grant"))


def test_a_model_is_pulled_used_verified_and_removed(
    home: Path, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    pulled = told(capsys, "pull", "mine", "--accept-licence")
    assert [(each["id"], each["pinned"]) for each in pulled["installed"]] == [("mine", True)]
    (row,) = rows(home)
    assert (row["target"], row["metadata"]["basis"]) == ("model:mine", "licence")
    assert row["metadata"]["licence"] == "non-commercial: only for tests"
    listed = {each["id"]: each["state"] for each in told(capsys, "list", "--here")["models"]}
    assert listed["mine"] == "ready"
    assert listed["yunet_2023mar"] == "built in"
    assert told(capsys, "verify", "mine")["models"] == [
        {"id": "mine", "intact": True, "words": "unchanged since it came"}
    ]
    assert told(capsys, "pull", "mine")["installed"] == []
    assert set(told(capsys, "remove", "mine")["removed"]) == {"mine.onnx", "mine.onnx.sha256"}
    assert len(server.requests) == 1


def test_without_accepting_the_licence_nothing_is_fetched(
    home: Path, server: Server, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    assert run_command_line(["models", "pull", "mine"]) == 2
    said = capsys.readouterr().err.splitlines()
    where = server.url  # the file's folder: a server of nobody's has no better page
    assert said[0] == f"facefusion-live: mine by Somebody: licence non-commercial: only for tests; read it at {where}"
    assert said[-1] == "facefusion-live: the licence was not accepted. Read it, then add --accept-licence."
    assert server.requests == []
    assert not (home / "audit").exists()


@pytest.mark.parametrize(("answer", "code"), [("yes\n", 0), ("Yes\n", 0), ("y\n", 2), ("\n", 2), ("", 2)])
def test_at_a_terminal_one_is_asked(
    home: Path, server: Server, monkeypatch: pytest.MonkeyPatch, answer: str, code: int
) -> None:
    class Terminal:
        def isatty(self) -> bool:
            return True

        def readline(self) -> str:
            return answer

    monkeypatch.setattr(sys, "stdin", Terminal())
    assert run_command_line(["models", "pull", "mine"]) == code
    assert len(server.requests) == (code == 0)
    assert (home / "models" / "mine.onnx").exists() == (code == 0)


def test_a_file_of_ones_own_is_taken_in(
    home: Path, server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    added = told(capsys, "add", str(tmp_path / "made.onnx"), "--as", "mine", "--accept-licence")
    assert added["told_by"] == "as you say, and its shape fits; its SHA-256 is not known from the publisher"
    assert server.requests == []
    assert len(rows(home)) == 1
    assert run_command_line(["models", "verify"]) == 0


def test_a_changed_file_ends_verification_with_3(
    home: Path, server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told(capsys, "add", str(tmp_path / "made.onnx"), "--as", "mine", "--accept-licence")
    (home / "models" / "mine.onnx").write_bytes(server.body[:-1] + b"?")
    assert run_command_line(["models", "verify"]) == 3
    assert "BAD mine: it has changed since it came, and does not run" in capsys.readouterr().out
    listed = {each["id"]: each["state"] for each in told(capsys, "list", "--here")["models"]}
    assert listed["mine"] == "changed"


def test_a_changed_file_is_replaced_when_it_is_pulled(
    home: Path, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    told(capsys, "pull", "mine", "--accept-licence")
    (home / "models" / "mine.onnx").write_bytes(server.body[:-1] + b"?")
    assert run_command_line(["models", "pull", "mine", "--accept-licence"]) == 0
    said = capsys.readouterr()
    assert "mine.onnx has changed since it came: it is fetched anew" in said.err
    assert "here already" not in said.out
    assert (home / "models" / "mine.onnx").read_bytes() == server.body
    assert run_command_line(["models", "pull", "mine"]) == 0
    assert "mine is here already." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["show", "nothing"], 2, "there is no model 'nothing'"),
        (["pull", "nothing"], 2, "there is no model 'nothing'"),
        (["remove", "yunet_2023mar"], 2, "yunet_2023mar belongs to the program"),
        (["add", "nowhere.onnx"], 2, "there is no file nowhere.onnx"),
        (["pull"], 2, "models pull needs"),
    ],
)
@pytest.mark.usefixtures("home")
def test_a_mistake_is_one_clear_line(
    words: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command_line(["models", *words]) == code
    err = capsys.readouterr().err.splitlines()
    assert len(err) == 1
    assert err[0].startswith(f"facefusion-live: {said}")


@pytest.mark.usefixtures("home")
def test_a_model_is_shown_with_all_that_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    facts = told(capsys, "show", "simswap_256")
    assert facts["needs"] == ["arcface_w600k_r50", "crossface_simswap"]
    assert facts["licence"] == "non-commercial: research only"
    assert facts["state"] == "not here"
    assert facts["terms"] == "https://github.com/neuralchen/SimSwap/blob/HEAD/LICENSE"
    assert run_command_line(["models", "show", "simswap_256"]) == 0
    assert "needs     arcface_w600k_r50, crossface_simswap" in capsys.readouterr().out


def test_a_card_that_cannot_be_read_is_named_in_the_list(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "models" / "bad.toml").write_text('id = "bad"', "utf-8")
    assert run_command_line(["models", "list"]) == 0
    shown = capsys.readouterr()
    assert "inswapper_128" in shown.out
    assert "the card bad.toml was passed over: model card: task is missing" in shown.err
