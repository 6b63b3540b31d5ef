import pytest

from facefusion_live.gui.framing import SCALE_LIMITS, ZOOM_STEP, Framing, Mode, Point

HD = Framing().resized((640.0, 640.0)).showing((1280, 720))


def close(point: Point, x: float, y: float) -> bool:
    return point == pytest.approx((x, y))


@pytest.mark.parametrize(
    ("mode", "box"),
    [("fit", (0, 140, 640, 360)), ("fill", (-248.888889, 0, 1137.777778, 640)), ("actual", (-320, -40, 1280, 720))],
)
def test_modes_place_the_picture(mode: Mode, box: tuple[float, float, float, float]) -> None:
    assert HD.in_mode(mode).box == pytest.approx(box)


def test_places_go_to_the_screen_and_back() -> None:
    for framing in (HD, HD.zoomed(3, Point(100, 200)), HD.in_mode("fill").panned(30, -20)):
        assert close(framing.to_picture(framing.to_screen(Point(321, 45))), 321, 45)


def test_a_mirror_turns_only_what_is_seen() -> None:
    mirrored = Framing(mirrored=True).resized((640.0, 640.0)).showing((1280, 720))
    assert close(mirrored.to_screen(Point(0, 0)), 640, 140)
    assert close(mirrored.to_picture(Point(640, 140)), 0, 0)
    x_scale, y_scale, x_offset, y_offset = mirrored.screen_from_picture()
    assert (x_scale * 100 + x_offset, y_scale * 50 + y_offset) == pytest.approx(mirrored.to_screen(Point(100, 50)))


@pytest.mark.parametrize("steps", [1, 4, -2])
def test_zoom_keeps_what_lies_under_the_pointer(steps: int) -> None:
    at = Point(200, 300)
    before = HD.in_mode("fill")
    after = before.zoomed(steps, at)
    assert after.scale == pytest.approx(before.scale * ZOOM_STEP**steps)
    assert close(after.to_picture(at), *before.to_picture(at))


def test_zoom_ends_somewhere() -> None:
    assert HD.zoomed(1000, Point(320, 320)).scale == pytest.approx(SCALE_LIMITS[1])
    assert HD.zoomed(-1000, Point(320, 320)).scale == pytest.approx(SCALE_LIMITS[0])


@pytest.mark.parametrize("way", [(1e6, 0), (-1e6, 0), (0, 1e6), (0, -1e6)])
def test_a_picture_cannot_be_dragged_out_of_sight(way: tuple[float, float]) -> None:
    left, top, width, height = HD.zoomed(2, Point(10, 10)).panned(*way).box
    assert left < 640 - 40
    assert left + width > 40
    assert top < 640 - 40
    assert top + height > 40


def test_the_wipe_line_follows_the_hand_and_stays_on_the_picture() -> None:
    wiped = Framing(wipe=0.5).resized((640.0, 640.0)).showing((1280, 720))
    assert wiped.wipe_x == pytest.approx(320)
    assert wiped.grips_wipe(Point(324, 50))
    assert not wiped.grips_wipe(Point(340, 50))
    assert wiped.wiped_to(160).wipe == pytest.approx(0.25)
    assert wiped.wiped_to(-500).wipe == 0
    assert wiped.wiped_to(5000).wipe == 1
    assert not HD.grips_wipe(Point(320, 320))


def test_a_picture_of_another_size_is_shown_whole() -> None:
    near = HD.zoomed(5, Point(0, 0))
    assert near.showing((1280, 720)) is near
    assert near.showing((640, 480)).box == pytest.approx((0, 80, 640, 480))


def test_a_mode_takes_zoom_and_pan_back() -> None:
    assert HD.zoomed(5, Point(0, 0)).in_mode("fit") == HD
