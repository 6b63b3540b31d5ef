import pytest

from facefusion_live.domain.errors import SettingsError
from facefusion_live.domain.face_map import is_map, is_name, parse, written
from facefusion_live.domain.settings import Settings


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("", {}),
        ("alice=ada", {"alice": "ada"}),
        (" alice = ada ,bob = photos/esi.jpg, ", {"alice": "ada", "bob": "photos/esi.jpg"}),
        ("李雷=ada,Dr. O'Neil-Smith 2 = bo", {"李雷": "ada", "Dr. O'Neil-Smith 2": "bo"}),
    ],
)
def test_pairs_are_read_and_written(text: str, pairs: dict[str, str]) -> None:
    assert parse(text) == pairs
    assert parse(written(pairs)) == pairs
    assert Settings().with_values({"swap.map": text}).swap.map == text


@pytest.mark.parametrize(
    "text", ["alice", "=ada", "alice=", "a=b=,c", "alice=ada,alice=bo", "-x=ada", "a" * 41 + "=ada"]
)
def test_what_is_no_map_is_refused(text: str) -> None:
    assert not is_map(text)
    with pytest.raises(SettingsError):
        parse(text)


def test_names_have_letters() -> None:
    assert is_name("alice")
    assert is_name("7")
    assert not any(map(is_name, ["", " ", "a,b", "a=b", "_", ".", "a "]))
