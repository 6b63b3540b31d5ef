"""The program and the verifier that stands alone: of the same logs, good and attacked, the same verdicts and codes."""

from pathlib import Path

import pytest

from facefusion_live.domain.audit.report import VERDICTS
from tests.fakes.audit_corpus import CORPUS, Case
from tests.fakes.audit_verifiers import ALONE, alone_answers, program_answers


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.name)
def test_both_say_the_same_and_what_must_be_said(case: Case, tmp_path: Path) -> None:
    what, words = case.make(tmp_path)
    code, verdicts = program_answers(what, words)
    assert code == case.exit_code, verdicts
    assert alone_answers(what, words) == (code, verdicts)
    for name, wanted in case.verdicts.items():
        assert wanted in {"", *(log[1 + VERDICTS.index(name)] for log in verdicts)}


def test_no_two_cases_have_one_name() -> None:
    names = [case.name for case in CORPUS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    "case", [case for case in CORPUS if "prune" in case.name or "horizon" in case.name], ids=lambda case: case.name
)
def test_archives_that_cannot_be_unpacked_are_no_pass(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ALONE, "zstd", lambda: None)
    what, words = case.make(tmp_path)
    assert alone_answers(what, words)[0] in {2, 10, 11, 12}
