"""People enrolled, from a script."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from facefusion_live import RealTimeFaceSwapper, swap_face
from facefusion_live.app.audit_wiring import close_shared_trail
from facefusion_live.domain.errors import BadInputError
from tests.support import RESOURCES

AVATARS = RESOURCES / "avatars"


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("FACEFUSION_LIVE_HOME", str(tmp_path / "home"))
    yield
    close_shared_trail()


def picture(*names: str) -> np.ndarray:
    return np.hstack([cv2.imread(str(AVATARS / f"{name}.jpg")) for name in names])


def test_a_script_enrols_maps_and_swaps_only_whom_it_means() -> None:
    scene = picture("dan", "cleo")
    with RealTimeFaceSwapper("ada") as swapper:
        swapper.enrol("Dan", AVATARS / "dan.jpg")
        assert swapper.process_frame(scene)["success"]
        swapper.set_parameters({"swap.targets": "enrolled"})
        results = [swapper.process_frame(scene) for _ in range(4)]
        assert results[-1]["success"], results[-1]["error_info"]
        everybodys = results[-1]["image"]
        swapper.set_parameters({"swap.map": "Dan = bo"})
        own = swapper.process_frame(scene)["image"]
    with RealTimeFaceSwapper("ada", settings={"swap.targets": "enrolled"}) as swapper:
        nobody = [swapper.process_frame(picture("cleo", "esi")) for _ in range(3)][-1]
    face, other = (slice(200, 350), slice(180, 330)), (slice(200, 350), slice(692, 842))
    assert np.abs(everybodys[face].astype(int) - own[face]).mean() > 4
    assert np.abs(scene[other].astype(int) - own[other]).mean() > 4, "the stranger is hidden"
    assert not nobody["success"]
    assert nobody["error_info"] is not None
    assert nobody["error_info"]["reason"] == "nobody who is enrolled"


def test_a_single_picture_is_swapped_where_somebody_known_is_in_it() -> None:
    with RealTimeFaceSwapper("ada") as swapper:
        swapper.enrol("Dan", AVATARS / "dan.jpg")
    wanted = {"swap.targets": "enrolled"}
    assert swap_face("ada", AVATARS / "dan.jpg", settings=wanted).shape == (512, 512, 3)
    with pytest.raises(BadInputError, match="nobody who is enrolled"):
        swap_face("ada", AVATARS / "cleo.jpg", settings=wanted)


def test_a_map_of_somebody_unknown_or_without_consent_changes_nothing(tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    cv2.imwrite(str(photo), cv2.flip(picture("esi"), 1))
    with RealTimeFaceSwapper("ada") as swapper:
        swapper.enrol("Dan", AVATARS / "dan.jpg")
        for wanted in (f"Dan={photo}", "Dan=nothing.png"):
            with pytest.raises(BadInputError):
                swapper.set_parameters({"swap.map": wanted})
        assert swapper.process_frame(picture("dan"))["success"]
    with pytest.raises(BadInputError, match="nobody called 'Eve'"):
        RealTimeFaceSwapper("ada", settings={"swap.map": "Eve=bo"})
