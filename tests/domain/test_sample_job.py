import numpy as np
import pytest

from facefusion_live.domain import blend
from facefusion_live.domain.sample_job import sample_job
from facefusion_live.domain.settings import Settings


@pytest.mark.parametrize(("size_wh", "crop_px"), [((1280, 720), 512), ((320, 240), 256)])
def test_the_face_lies_inside_the_picture_and_counts_as_covered(size_wh: tuple[int, int], crop_px: int) -> None:
    job = sample_job(size_wh, 300, Settings())
    (patch,) = job.patches
    assert job.frame.image.size_wh == size_wh
    assert patch.size_px == crop_px
    left, top, right, bottom = job.faces[0].box_px
    assert 0 <= left < right <= size_wh[0]
    assert 0 <= top < bottom <= size_wh[1]
    regions = patch.regions.host()[4::8, 4::8]
    share = blend.alpha(regions, None, job.settings.mask)
    assert blend.covered_share(share, regions) > 0.9
    assert (regions[..., 1] > blend.EDGE_LEVEL).any(), "it has eyes"
    assert np.array_equal(sample_job(size_wh, 300, Settings()).frame.image.host(), job.frame.image.host())
