"""Bytes as spa/pod/pod.h lays them out."""

import pytest

from facefusion_live.adapters.sinks.pipewire import pod


def test_values_are_a_size_a_type_and_a_body_padded_to_eight() -> None:
    assert pod.ident(4) == bytes.fromhex("04000000 03000000 04000000 00000000")
    assert pod.whole(-2) == bytes.fromhex("04000000 04000000 feffffff 00000000")
    assert pod.rectangle(1280, 720) == bytes.fromhex("08000000 0a000000 00050000 d0020000")
    assert pod.idents((3, 4)) == bytes.fromhex("10000000 0d000000 04000000 03000000 03000000 04000000")


def test_a_choice_tells_its_kind_and_the_type_of_its_values() -> None:
    assert pod.flags(4) == bytes.fromhex("14000000 13000000 04000000 00000000 04000000 04000000 04000000 00000000")
    assert pod.whole_range(4, 2, 8)[8:] == bytes.fromhex(
        "01000000 00000000 04000000 04000000 04000000 02000000 08000000 00000000"
    )


def test_what_was_made_is_read_again() -> None:
    made = pod.thing(
        0x40003,
        3,
        {
            1: pod.ident(2),
            0x20003: pod.rectangle(640, 360),
            0x20004: pod.fraction_range((30000, 1001), (0, 1), (60, 1)),
            0x10005: pod.idents((3, 4)),
            9: pod.whole(-5),
        },
    )
    assert pod.properties_of(made) == {1: (2,), 0x20003: (640, 360), 0x20004: (30000, 1001), 9: (-5,)}


@pytest.mark.parametrize("cut", [1, 7, 12, 30])
def test_what_is_cut_short_is_refused(cut: int) -> None:
    made = pod.thing(0x40003, 3, {1: pod.ident(2), 0x20003: pod.rectangle(640, 360)})
    with pytest.raises(ValueError, match="object"):
        pod.properties_of(made[:cut])


def test_what_is_no_object_is_refused() -> None:
    with pytest.raises(ValueError, match="not a whole"):
        pod.properties_of(pod.whole(3))
