import pytest

from facefusion_live.domain.model_card import ModelCard
from facefusion_live.domain.model_file import Graph, Tensor, misfit
from facefusion_live.domain.person_model import card_for

SHA = "3f" * 32


def person(edge: int | None) -> Graph:
    face, mask = Tensor("in_face:0", (None, edge, edge, 3)), Tensor("mask", (None, edge, edge, 1))
    return Graph((face,), (mask, face, mask), 12)


@pytest.mark.parametrize("edge", [224, 320])
def test_a_model_of_one_person_gets_a_card_that_fits_it(edge: int) -> None:
    made = card_for(person(edge), SHA, 1000, None)
    assert made is not None
    card = ModelCard.from_mapping(made)
    assert (card.id, card.file, card.sha256, card.size) == ("person_3f3f3f3f", "person_3f3f3f3f.dfm", SHA, 1000)
    assert card.is_person
    assert card.target is not None
    assert (card.target.size_px, card.target.template, card.target.colour_order) == (edge, "dfl_whole_face", "BGR")
    assert misfit(card, person(edge)) == ""


def test_it_may_be_called_by_a_name() -> None:
    made = card_for(person(224), SHA, 1000, "anna")
    assert made is not None
    assert (made["id"], made["file"]) == ("anna", "anna.dfm")


def test_other_graphs_and_pictures_of_any_size_get_none() -> None:
    assert card_for(person(None), SHA, 1000) is None
    assert card_for(Graph((), (), 12), SHA, 1000) is None
    assert card_for(Graph((Tensor("x", (1, 512)),), (Tensor("y", (1, 512)),), 12), SHA, 1000) is None
