"""A picture whose colours say where its pixels lie, and where aligned crops of it lie, without the adapters."""

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain.face import Face
from facefusion_live.domain.image import Frame, HostImage
from facefusion_live.domain.ports import Portrait
from tests.faces import canonical_mesh_px, face_of

# Literal, from the publishers: eye at the viewer's left, other eye, nose, mouth left, mouth right, over the edge.
TEMPLATE = {
    "arcface_128": ((0.36167656, 0.40387734), (0.63696719, 0.40235469), (0.50019687, 0.56044219),
                    (0.38710391, 0.72160547), (0.61507734, 0.72034453)),
    "arcface_112_v1": ((0.35473214, 0.45658929), (0.64526786, 0.45658929), (0.5, 0.61154464),
                       (0.37913393, 0.776875), (0.62086607, 0.776875)),
    "arcface_112_v2": ((0.34191607, 0.46157411), (0.65653393, 0.45983393), (0.500225, 0.64050536),
                       (0.37097589, 0.82469196), (0.63151696, 0.82325089)),
    "ffhq_512": ((0.37691676, 0.46864664), (0.62285697, 0.46912813), (0.50123859, 0.61331904),
                 (0.39308822, 0.725411), (0.61150205, 0.72490465)),
    "dfl_whole_face": ((0.35342266, 0.39285716), (0.62797622, 0.39285716), (0.48660713, 0.5401786),
                       (0.38839287, 0.68750011), (0.59821427, 0.68750011)),
    "mtcnn_512": ((0.36562865, 0.46733799), (0.63305391, 0.46585885), (0.50019127, 0.61942959),
                  (0.39032951, 0.77598822), (0.61178945, 0.77476328)),
}  # fmt: skip


# A frame whose pixel (x, y) is (x / 4, y / 4, 60): what a net sees says where it was taken from.
def coded_picture(width: int = 960, height: int = 720) -> NDArray[np.uint8]:
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    return np.stack([x / 4, y / 4, np.full_like(x, 60)], 2).astype(np.uint8)


FRAME = Frame(0, 0, 0.0, HostImage(coded_picture()))
FACE = face_of(canonical_mesh_px(260, (470, 330), yaw=6, roll=9))
PORTRAIT = Portrait(HostImage(coded_picture(700, 600)), face_of(canonical_mesh_px(230, (360, 300), roll=-5)))


def places(face: Face, template: str, size_px: int) -> NDArray[np.float64]:
    """(n, n, 2): where in the picture each pixel of an aligned crop lies, by numpy's own least squares."""
    dest = np.array(TEMPLATE[template]) * size_px
    source = face.landmarks5_px.astype(np.float64)
    # x' = a x - b y + c, y' = b x + a y + d
    rows = [[x, -y, 1, 0] for x, y in source] + [[y, x, 0, 1] for x, y in source]
    a, b, c, d = np.linalg.lstsq(np.array(rows), np.concatenate([dest[:, 0], dest[:, 1]]), rcond=None)[0]
    back = np.linalg.inv(np.array([[a, -b, c], [b, a, d], [0, 0, 1]]))
    x, y = np.meshgrid(np.arange(size_px), np.arange(size_px))
    return np.stack([x, y, np.ones_like(x)], 2) @ back.T[:, :2]


def seen(face: Face, template: str, size_px: int) -> NDArray[np.float64]:
    """(n, n, 3) RGB in 0..1: what a crop of the coded picture shows."""
    at = places(face, template, size_px)
    return np.concatenate([at / 4 / 255, np.full((size_px, size_px, 1), 60 / 255)], 2)
