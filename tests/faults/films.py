"""Films for the faults: those of the team, and some made of the built-in faces: two who cross, a poster, a head that
lies on either side or stands on its crown.
"""

from functools import lru_cache
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from tests.support import RESOURCES, shared_path

TEAM = {
    "hand_occlusion": "clips/hand_occlusion.mp4",
    "leave_return": "clips/leave_return.mp4",
    "talk_turn": "clips/talk_turn.mp4",
    "three_faces": "clips/three_faces.mp4",
    "eat": "real/eat.mkv",
    "head": "real/head-pose-face-detection-male.gif",
}
MADE = ("crossing", "poster", "lying_right", "lying_left", "upside_down")
_TURNS = {"lying_right": -1, "lying_left": 1, "upside_down": 2}
"""Quarters, counter-clockwise."""
_TURNED_FRAMES = slice(20, 60)
"""Of the demo clip. It turns its head to and fro in them."""
SIZE_WH = (800, 360)
_EDGE = 260
_FRAMES = 45


def film(name: str, folder: Path) -> Path:
    """The film of that name; what has to be made is made in the folder, once."""
    if name == "driver":
        return RESOURCES / "demo" / "driver.mp4"
    if name in TEAM:
        return shared_path(f"media/{TEAM[name]}")
    path = folder / f"{name}.mkv"
    if not path.exists():
        _write(path, _turned(_TURNS[name]) if name in _TURNS else [_MAKERS[name](k) for k in range(_FRAMES)])
    return path


def _crossing(k: int) -> NDArray[np.uint8]:
    """Fay walks to the right, in front of Dan, who walks to the left. (Not those who are drawn over them.)"""
    step = round((SIZE_WH[0] - _EDGE - 40) * k / (_FRAMES - 1))
    picture = _room()
    _put(picture, "dan", SIZE_WH[0] - _EDGE - 20 - step)
    _put(picture, "fay", 20 + step)
    return picture


def _poster(k: int) -> NDArray[np.uint8]:
    """Cleo hangs on the wall; Dan comes in from the right, stands before the poster, and leaves."""
    picture = _room()
    _put(picture, "cleo", 60, 200)
    away = abs(k - _FRAMES // 2) / (_FRAMES // 2)
    _put(picture, "dan", round(200 + 700 * away))
    return picture


_MAKERS = {"crossing": _crossing, "poster": _poster}


def _turned(quarters: int) -> list[NDArray[np.uint8]]:
    reader = cv2.VideoCapture(str(RESOURCES / "demo" / "driver.mp4"))
    frames = [reader.read()[1] for _ in range(_TURNED_FRAMES.stop)][_TURNED_FRAMES]
    reader.release()
    return [np.ascontiguousarray(np.rot90(frame, quarters)) for frame in frames]


def _room() -> NDArray[np.uint8]:
    return np.full((SIZE_WH[1], SIZE_WH[0], 3), (96, 104, 110), np.uint8)


@lru_cache(maxsize=8)
def _portrait(name: str, edge: int) -> NDArray[np.uint8]:
    return cv2.resize(
        cv2.imread(str(RESOURCES / "avatars" / f"{name}.jpg")), (edge, edge), interpolation=cv2.INTER_AREA
    )


def _put(picture: NDArray[np.uint8], name: str, left: int, edge: int = _EDGE) -> None:
    """Someone at a place, as far as it lies in the picture."""
    top = (picture.shape[0] - edge) // 2
    right = min(left + edge, picture.shape[1])
    if right > left:
        place = picture[top : top + edge, left:right]
        np.copyto(place, _portrait(name, edge)[:, : right - left], where=_head(edge)[:, : right - left])


@lru_cache(maxsize=2)
def _head(edge: int) -> NDArray[np.bool_]:
    """(edge, edge, 1) a head and its hair: nobody carries the background of their portrait about."""
    mask = np.zeros((edge, edge, 1), np.uint8)
    cv2.ellipse(mask, (edge // 2, edge // 2), (round(0.34 * edge), round(0.47 * edge)), 0, 0, 360, 1, -1)
    return mask.view(np.bool_)


def _write(path: Path, pictures: list[NDArray[np.uint8]]) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=30)
        stream.height, stream.width, stream.pix_fmt = *pictures[0].shape[:2], "bgr0"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24").reformat(format="bgr0")))
        container.mux(stream.encode())
