from pathlib import Path

import pytest

for _package in ("onnx", "tflite", "flatbuffers"):
    pytest.importorskip(_package, reason=f"{_package} is not installed (extra: tools)")

from facefusion_live.domain.model_card import ModelCard, Origin  # noqa: E402
from tools.rebuild_models import RECIPES, relative_difference  # noqa: E402

MODELS = Path(__file__).resolve().parents[2] / "resources/models"


def test_there_is_a_recipe_for_every_model_and_it_agrees_with_the_card() -> None:
    assert {path.stem for path in MODELS.glob("*.onnx")} == set(RECIPES)
    for model_id, recipe in RECIPES.items():
        card = ModelCard.parse((MODELS / f"{model_id}.toml").read_text(encoding="utf-8"))
        wheel = recipe.wheel
        assert card.origin == Origin(wheel.project, wheel.version, wheel.sha256, recipe.member)


def test_a_model_does_not_differ_from_itself() -> None:
    model = (MODELS / "blazeface_short.onnx").read_bytes()
    assert relative_difference(model, model) == 0
