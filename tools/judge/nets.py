# pyright: basic, reportArgumentType=false, reportCallIssue=false, reportReturnType=false, reportAssignmentType=false
# (OpenCV's stubs call every array MatLike, and know neither None for a map nor a number beside an array.)
"""Faces and identities as the judge sees them: the nets of resources/models, decoded without the program's code.

Source of the decodings: the graphs of MediaPipe 0.10.21; the alignment of OpenCV's SFace.
"""

from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

MODELS = Path(__file__).resolve().parents[2] / "resources" / "models"
BgrImage = NDArray[np.uint8]
Points = NDArray[np.float32]

_DETECTOR_PX, _MESH_PX, _IDENTITY_PX = 128, 192, 112
_FACE_FROM = 0.5
_SAME_FACE = 0.3
_CLOSER_LOOKS = 3
_CLEAR = 24.0
"""Logit from which there is no doubt which way up a face is: any other way it never reached more than 19."""
_ROI_MARGIN = 1.5
_SFACE_TEMPLATE = np.array([
    [38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041],
])  # fmt: skip
_FIVE = (468, 473, 4, 61, 291)
_LIPS = (
    61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269, 270, 409, 78, 95, 88, 178, 87, 14,
    317, 402, 318, 324, 308, 191, 80, 81, 82, 13, 312, 311, 310, 415, 76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306,
    184, 74, 73, 72, 11, 302, 303, 304, 408, 62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292, 183, 42, 41, 38, 12,
    268, 271, 272, 407,
)  # fmt: skip
_EYE_LEFT = (
    33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173, 130, 25, 110, 24, 23, 22, 26, 112,
    243, 247, 30, 29, 27, 28, 56, 190, 226, 31, 228, 229, 230, 231, 232, 233, 244, 113, 225, 224, 223, 222, 221, 189,
    35, 124, 46, 53, 52, 65, 143, 111, 117, 118, 119, 120, 121, 128, 245, 156, 70, 63, 105, 66, 107, 55, 193,
)  # fmt: skip
_EYE_RIGHT = (
    263, 249, 390, 373, 374, 380, 381, 382, 362, 466, 388, 387, 386, 385, 384, 398, 359, 255, 339, 254, 253, 252, 256,
    341, 463, 467, 260, 259, 257, 258, 286, 414, 446, 261, 448, 449, 450, 451, 452, 453, 464, 342, 445, 444, 443, 442,
    441, 413, 265, 353, 276, 283, 282, 295, 372, 340, 346, 347, 348, 349, 350, 357, 465, 383, 300, 293, 334, 296, 336,
    285, 417,
)  # fmt: skip
_REFINED = {"output_lips": _LIPS, "output_left_eye": _EYE_LEFT, "output_right_eye": _EYE_RIGHT}


def session(name: str) -> ort.InferenceSession:
    """A net of the program's, on one thread."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort.InferenceSession(str(MODELS / f"{name}.onnx"), options, providers=["CPUExecutionProvider"])


def _blob(crop: BgrImage, scale: float, shift: float) -> NDArray[np.float32]:
    return (crop[:, :, ::-1].astype(np.float32) * np.float32(scale) + np.float32(shift)).transpose(2, 0, 1)[None]


class Eyes:
    """Finds faces and tells who they are."""

    def __init__(self) -> None:
        self._detector = session("blazeface_short")
        self._mesh = session("face_mesh_attention")
        self._identity = session("sface_2021dec_int8bq")
        self._anchors = np.concatenate([_anchors(cells, each) for cells, each in ((16, 2), (8, 6))])

    def faces(self, picture: BgrImage) -> list[Points]:
        """(478, 3) x, y, depth in pixels for every face, the widest first."""
        meshes = [self._landmarks(picture, box, eyes) for box, eyes in self._detect(picture)]
        return sorted((mesh for mesh in meshes if mesh is not None), key=lambda mesh: -float(np.ptp(mesh[:468, 0])))

    def face(self, picture: BgrImage) -> Points | None:
        """The widest face."""
        found = max(self._detect(picture), key=lambda face: face[0][2] - face[0][0], default=None)
        return None if found is None else self._landmarks(picture, *found)

    def closer(self, picture: BgrImage, mesh: Points) -> Points:
        """The face at `mesh` looked at again, three times, each time where it was just seen.

        One look is only as good as the detector's box: of a face 60 pixels wide in 640 the outline lay a tenth of its
        width beside it. Upside down the net draws a face, too, but is less sure of it: unless it is clear which way up
        the face is, it is looked at the other way as well. Where a closer look finds no face, the last mesh stands.
        """
        seen, sure = self._closer(picture, mesh, mesh[[33, 263], :2])
        if sure < _CLEAR:
            other, other_sure = self._closer(picture, mesh, mesh[[263, 33], :2])
            # Not if it is merely surer: with a hand before the face both ways are unsure.
            seen, sure = (other, other_sure) if other_sure >= _CLEAR else (seen, sure)
        return seen if sure > 0 else mesh

    def _closer(self, picture: BgrImage, mesh: Points, eyes: Points) -> tuple[Points, float]:
        """The last of a few looks from one side, and how sure it is."""
        sure = -np.inf
        for _ in range(_CLOSER_LOOKS):
            low, high = mesh[:468, :2].min(0), mesh[:468, :2].max(0)
            centre, half = (low + high) / 2, (high - low).max() / 2
            mesh, sure = self._look(picture, np.concatenate([centre - half, centre + half]), eyes)
            eyes = mesh[[33, 263], :2]
        return mesh, sure

    def identity(self, picture: BgrImage, mesh: Points) -> NDArray[np.float32]:
        """(128,) of unit length."""
        to_template = similarity(mesh[list(_FIVE), :2], _SFACE_TEMPLATE)
        crop = cv2.warpAffine(picture, to_template, (_IDENTITY_PX, _IDENTITY_PX))
        (answer,) = self._identity.run(None, {self._identity.get_inputs()[0].name: _blob(crop, 1, 0)})
        vector = np.asarray(answer).ravel()
        return vector / np.linalg.norm(vector)

    def _detect(self, picture: BgrImage) -> list[tuple[Points, Points]]:
        """(box (4,), eyes (2, 2)) in pixels, one per face: overlapping answers are averaged by score."""
        height, width = picture.shape[:2]
        scale = _DETECTOR_PX / max(height, width)
        shift = ((_DETECTOR_PX - width * scale) / 2, (_DETECTOR_PX - height * scale) / 2)
        to_crop = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]], np.float32)
        crop = cv2.warpAffine(picture, to_crop, (_DETECTOR_PX, _DETECTOR_PX), flags=cv2.INTER_LINEAR)
        numbers, logits = map(
            np.asarray, self._detector.run(None, {self._detector.get_inputs()[0].name: _blob(crop, 1 / 127.5, -1)})
        )
        scores = 1 / (1 + np.exp(-np.clip(logits[0, :, 0], -80, 80)))
        chosen = np.flatnonzero(scores > _FACE_FROM)
        points = numbers[0, chosen, :8].reshape(-1, 4, 2)  # centre, size, eye, other eye
        points[:, (0, 2, 3)] += self._anchors[chosen, None] * _DETECTOR_PX
        boxes = np.concatenate([points[:, 0] - points[:, 1] / 2, points[:, 0] + points[:, 1] / 2], 1)
        corners_and_eyes = np.concatenate([boxes.reshape(-1, 2, 2), points[:, 2:]], 1)
        merged = [(corners_and_eyes[group] * share).sum(0) for group, share in _groups(boxes, scores[chosen])]
        from_crop = cv2.invertAffineTransform(to_crop)
        placed = [four @ from_crop[:, :2].T + from_crop[:, 2] for four in merged]
        return [(four[:2].ravel(), four[2:]) for four in placed]

    def _landmarks(self, picture: BgrImage, box: Points, eyes: Points) -> Points | None:
        """(478, 3), or None when the net sees no face."""
        mesh, sure = self._look(picture, box, eyes)
        return mesh if sure > 0 else None

    def _look(self, picture: BgrImage, box: Points, eyes: Points) -> tuple[Points, float]:
        """(478, 3), and how sure the net is that there is a face (logit)."""
        angle = float(np.arctan2(eyes[1, 1] - eyes[0, 1], eyes[1, 0] - eyes[0, 0]))
        scale = float(max(box[2] - box[0], box[3] - box[1])) * _ROI_MARGIN / _MESH_PX
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * scale
        centre = (box[:2] + box[2:]) / 2
        from_crop = np.hstack([turn, (centre - turn @ (_MESH_PX / 2, _MESH_PX / 2))[:, None]])
        crop = cv2.warpAffine(
            picture,
            from_crop,
            (_MESH_PX, _MESH_PX),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        names = [output.name for output in self._mesh.get_outputs()]
        answers = self._mesh.run(names, {self._mesh.get_inputs()[0].name: _blob(crop, 1 / 255, 0)})
        said = {name: np.asarray(answer).ravel() for name, answer in zip(names, answers, strict=True)}
        mesh = np.zeros((478, 3), np.float32)
        mesh[:468] = said["output_mesh_identity"].reshape(468, 3)
        for name, indices in _REFINED.items():
            mesh[list(indices), :2] = said[name].reshape(-1, 2)
        mesh[468:473, :2], mesh[473:, :2] = (said[f"output_{side}_iris"].reshape(5, 2) for side in ("left", "right"))
        mesh[:, :2] = mesh[:, :2] @ from_crop[:, :2].T + from_crop[:, 2]
        mesh[:, 2] *= scale
        return mesh, float(said["conv_faceflag"][0])


def _anchors(cells: int, each: int) -> Points:
    """(cells * cells * each, 2) centres of the detector's cells as shares of its edge, row by row."""
    at = (np.arange(cells) + 0.5) / cells
    x, y = np.meshgrid(at, at)
    return np.repeat(np.stack([x.ravel(), y.ravel()], 1), each, axis=0).astype(np.float32)


def _groups(boxes: Points, scores: Points) -> list[tuple[NDArray[np.intp], Points]]:
    """Answers that mean one face, the best one's first, each with its share (n, 1, 1) in the average."""
    left, groups = np.argsort(-scores), []
    while len(left):
        same = _overlaps(boxes[left[0]], boxes[left]) > _SAME_FACE
        same[0] = True
        group = left[same]
        groups.append((group, (scores[group] / scores[group].sum())[:, None, None]))
        left = left[~same]
    return groups


def _overlaps(box: Points, boxes: Points) -> Points:
    inside = np.maximum(0, np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2])).prod(1)
    area = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    return inside / ((box[2:] - box[:2]).prod() + area - inside)


def similarity(points: Points, onto: Points) -> NDArray[np.float64]:
    """(2, 3) the rotation, scale and shift that bring `points` closest to `onto`. Source: Umeyama 1991."""
    mean, goal = points.mean(0), onto.mean(0)
    a, b = points - mean, onto - goal
    u, sizes, vt = np.linalg.svd(b.T @ a / len(a))
    keep = np.array([1, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    turn = (u * keep) @ vt * ((sizes * keep).sum() / (a**2).sum(1).mean())
    return np.hstack([turn, (goal - turn @ mean)[:, None]])
