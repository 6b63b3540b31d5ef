import numpy as np
import pytest

from facefusion_live.domain.points import five_of

# Literal, from the annotation schemes: which points are (or average to) eyes, nose tip and mouth corners.
SCHEMES = {
    68: (range(36, 42), range(42, 48), [30], [48], [54]),
    98: ([96], [97], [54], [76], [82]),
    106: ([38], [88], [86], [52], [61]),
    478: ([468], [473], [4], [61], [291]),
}


@pytest.mark.parametrize("count", SCHEMES)
@pytest.mark.parametrize("columns", [2, 3])
def test_five_points_of_each_scheme(count: int, columns: int) -> None:
    points = np.random.default_rng(1).uniform(0, 256, (count, columns)).astype(np.float32)
    expected = [np.mean([points[index, :2] for index in group], axis=0) for group in SCHEMES[count]]
    np.testing.assert_allclose(five_of(points), expected, rtol=1e-6)
    assert five_of(points).dtype == np.float32
