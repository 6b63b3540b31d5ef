import pytest

from facefusion_live.domain.errors import ComputeError
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.memory import PatchMemory


def _settings(edge_px: int, faces: int = 1) -> Settings:
    return Settings().with_values({"swap.max_crop_px": edge_px, "detect.max_faces": faces})


def test_nothing_before_it_is_known_what_is_needed() -> None:
    memory = PatchMemory(2)
    assert memory.in_use == 0
    with pytest.raises(ComputeError, match="before their size was known"):
        memory.acquire()


def test_a_patch_of_the_largest_crop_fits() -> None:
    memory = PatchMemory(1)
    memory.fit(_settings(128))
    assert memory.acquire().array((128, 128, 8)).shape == (128, 128, 8)
    with pytest.raises(ComputeError, match="in use"):
        memory.acquire()


def test_there_is_one_for_each_face_of_each_job() -> None:
    memory = PatchMemory(2)
    memory.fit(_settings(128, faces=3))
    held = [memory.acquire() for _ in range(6)]
    assert memory.in_use == len(held)


def test_it_grows_while_old_patches_are_on_their_way() -> None:
    memory = PatchMemory(1)
    memory.fit(_settings(128))
    old = memory.acquire()
    memory.fit(_settings(256))
    new = memory.acquire()
    assert new.array((256, 256, 8)).any() == False  # noqa: E712 (numpy's own False)
    assert memory.in_use == 2
    old.release()
    new.release()
    assert memory.in_use == 0


def test_the_same_settings_keep_the_same_memory() -> None:
    memory = PatchMemory(1)
    memory.fit(_settings(128))
    first = memory.acquire()
    first.release()
    memory.fit(_settings(128).with_values({"look.opacity": 0.5}))
    assert memory.acquire() is first


def test_when_it_is_closed_no_more_is_given_out() -> None:
    memory = PatchMemory(1)
    memory.close()
    memory.fit(_settings(128))
    held = memory.acquire()
    memory.close()
    with pytest.raises(ComputeError, match="given back"):
        memory.acquire()
    held.release()
    assert memory.in_use == 0


def test_with_an_enhancer_there_is_room_for_what_it_draws() -> None:
    memory = PatchMemory(1)
    memory.fit(_settings(128).with_values({"swap.enhancer": "gfpgan_1.4"}))
    assert memory.acquire().array((128, 128, 11)).shape == (128, 128, 11)
    memory.acquire()  # while a patch is enhanced there are two of it
    with pytest.raises(ComputeError, match="in use"):
        memory.acquire()
