"""Pictures as handles."""

import dataclasses

import numpy as np
import pytest

from facefusion_live.domain.image import Frame, HostImage


class CountingLease:
    def __init__(self) -> None:
        self.shares = 1

    def retain(self) -> None:
        self.shares += 1

    def release(self) -> None:
        self.shares -= 1


def test_a_host_image_tells_its_size_as_width_and_height() -> None:
    image = HostImage(np.zeros((3, 5, 3), np.uint8))
    assert image.size_wh == (5, 3)
    assert image.kind == "host"


def test_a_host_image_hands_out_its_own_pixels() -> None:
    pixels = np.arange(6, dtype=np.uint8).reshape(2, 3)
    image = HostImage(pixels)
    assert image.host() is pixels
    assert image.size_wh == (3, 2)


def test_pixels_are_read_only_once_they_are_an_image() -> None:
    image = HostImage(np.zeros((2, 2, 3), np.uint8))
    with pytest.raises(ValueError, match="read-only"):
        image.host()[0, 0, 0] = 1


def test_an_image_passes_shares_on_to_its_buffer() -> None:
    lease = CountingLease()
    image = HostImage(np.zeros((2, 2, 3), np.uint8), lease)
    image.retain()
    image.retain()
    assert lease.shares == 3
    image.release()
    assert lease.shares == 2


def test_an_image_without_a_buffer_needs_no_shares() -> None:
    image = HostImage(np.full((2, 2, 3), 7, np.uint8))
    image.retain()
    image.release()
    image.release()
    assert image.host().tolist() == np.full((2, 2, 3), 7).tolist()


def test_a_frame_is_never_changed() -> None:
    frame = Frame(4, 1_000, 0.5, HostImage(np.zeros((2, 2, 3), np.uint8)))
    with pytest.raises(dataclasses.FrozenInstanceError):
        frame.index = 5  # type: ignore[misc]
    assert (frame.index, frame.captured_ns, frame.media_s) == (4, 1_000, 0.5)
