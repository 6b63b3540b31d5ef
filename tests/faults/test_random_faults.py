"""Random faults against the real program; the pixels say whether anyone was bare."""

from pathlib import Path

import pytest

from facefusion_live.domain.settings import Settings
from facefusion_live.engine.gate import Candidate
from tests.faults.kinds import KINDS
from tests.faults.rig import Rig
from tests.faults.runs import CLIPS, run, table
from tests.faults.witness import Faces
from tests.support import shared_path

FACES = Faces()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    shared_path("media/clips")
    return tmp_path_factory.mktemp("films")


@pytest.mark.parametrize("seed", range(1000, 1016))
def test_nobody_is_bare(seed: int, folder: Path) -> None:
    seen = run(seed, folder, FACES)
    assert not seen.leaks, (seen.clip, seen.what)
    assert seen.counted == 0


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_nobody_is_bare_in_two_hundred_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = [run(seed, folder, FACES) for seed in range(200)]
    with capsys.disabled():
        print(f"\n{table(runs)}")  # noqa: T201 (to be recorded)
    assert not [one for one in runs if one.leaks]
    assert {kind for one in runs for kind in one.kinds} == {kind.__name__ for kind in KINDS}
    assert {one.clip for one in runs} == set(CLIPS)


def test_the_witness_sees_a_gate_that_lets_everything_through(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Candidate, "fault", lambda _: None)
    rig = Rig("driver", folder, frames=8)
    rig.after["swap"] = dict.fromkeys((3, 4), _lose)
    rig.run()
    seen = rig.verdict(FACES)
    assert [words.split(":")[0] for words in seen.leaks] == ["frame 3 (LIVE, picture 3)", "frame 4 (LIVE, picture 4)"]


def test_the_witness_sees_the_wearer_through_a_pale_swap(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every pixel was changed, by many levels; but two fifths of each are the wearer's."""
    monkeypatch.setattr(Candidate, "fault", lambda _: None)
    rig = Rig("driver", folder, source="ada", frames=6, settings=Settings().with_values({"look.opacity": 0.6}))
    rig.run()
    seen = rig.verdict(FACES)
    assert len(seen.leaks) == 6
    assert seen.least_share > 0.9


def _lose(draft: object) -> None:
    for patch in draft.patches:  # pyright: ignore[reportAttributeAccessIssue]
        for image in patch.images():
            image.release()
    draft.patches.clear()  # pyright: ignore[reportAttributeAccessIssue]
