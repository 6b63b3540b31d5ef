"""The program and the verifier that stands alone: of the same logs, good and attacked, the same verdicts and codes."""

from pathlib import Path

import pytest

from facefusion_live.domain.audit.report import VERDICTS
from tests.fakes.audit_corpus import CORPUS, HARMFUL, HOMES, Case
from tests.fakes.audit_units import SHARED
from tests.fakes.audit_verifiers import ALONE, alone_answers, program_answers


@pytest.mark.parametrize("case", [*CORPUS, *HARMFUL], ids=lambda case: case.name)
def test_both_say_the_same_and_what_must_be_said(case: Case, tmp_path: Path) -> None:
    what, words = case.make(tmp_path)
    code, verdicts = program_answers(what, words)
    assert code == case.exit_code, verdicts
    assert alone_answers(what, words) == (code, verdicts)
    for name, wanted in case.verdicts.items():
        assert wanted in {"", *(log[1 + VERDICTS.index(name)] for log in verdicts)}


def test_no_two_cases_have_one_name() -> None:
    names = [case.name for case in [*CORPUS, *HARMFUL]]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("part", SHARED)
def test_the_parts_of_both_agree(part: str) -> None:
    answers = SHARED[part](False)
    assert SHARED[part](True) == answers
    assert len(set(map(str, answers))) > 1  # some are right, some are not


@pytest.mark.parametrize("case", HOMES, ids=lambda case: case.name)
def test_archives_that_cannot_be_unpacked_are_no_pass(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ALONE, "zstd", lambda: None)
    what, words = case.make(tmp_path)
    code, verdicts = alone_answers(what, words)
    if not any(each.is_file() for each in what.glob("archive/*.zst")):  # nothing to unpack: what is at hand decides
        assert code == case.exit_code
    elif case.exit_code == 0:
        assert (code, verdicts[0][1]) == (12, "unverifiable")
    else:
        assert code in {10, 11, 12}
