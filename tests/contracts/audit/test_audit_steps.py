"""Each step of both verifiers, taken out in turn: some case must be judged otherwise without it."""

import pytest

from tests.fakes.audit_mutants import Court, Mutant, mutants, spare

MUTANTS = mutants()
SPARE = spare()
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # a mutant may not clean up


@pytest.fixture(scope="module")
def court(tmp_path_factory: pytest.TempPathFactory) -> Court:
    return Court(tmp_path_factory.mktemp("court"))


@pytest.mark.parametrize("mutant", [each for each in MUTANTS if each.name not in SPARE], ids=lambda each: each.name)
def test_without_any_step_a_case_is_judged_otherwise(mutant: Mutant, court: Court) -> None:
    assert court.killer(mutant) is not None


def test_steps_listed_as_spare_exist_and_have_a_reason() -> None:
    assert set(SPARE) <= {each.name for each in MUTANTS}
    assert all(len(reason) > 20 for reason in SPARE.values())


def test_few_steps_are_spare() -> None:
    assert len(SPARE) < len(MUTANTS) / 7


@pytest.mark.soak
@pytest.mark.parametrize("mutant", [each for each in MUTANTS if each.name in SPARE], ids=lambda each: each.name)
def test_what_is_listed_as_spare_changes_nothing(mutant: Mutant, court: Court) -> None:
    assert court.killer(mutant) is None
