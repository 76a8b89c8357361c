import numpy as np
import pytest

from clusterpress.training.proportions import paired_change, wilson


@pytest.mark.parametrize(("hits", "n"), [(0, 7), (7, 7), (3, 10), (38_000, 50_000)])
def test_wilson_by_its_formula(hits: int, n: int) -> None:
    z, p = 1.959963984540054, hits / n
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    share = wilson(hits, n)
    assert share.percent == pytest.approx(100 * p)
    assert (share.low, share.high) == pytest.approx((100 * (middle - half), 100 * (middle + half)))
    assert -1e-9 <= share.low <= share.percent <= share.high <= 100 + 1e-9


def test_wilson_holds_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    shares = [wilson(int(hits), 200) for hits in rng.binomial(200, 0.7, 2000)]
    assert 0.93 < np.mean([share.low <= 70 <= share.high for share in shares]) < 0.97


def test_a_paired_change_is_the_t_interval_of_the_differences_but_for_its_quantile() -> None:
    differences = np.array([1] * 12 + [-1] * 5 + [0] * 183)
    found = paired_change(12, 5, 200)
    half = 1.959963984540054 * differences.std() / np.sqrt(200)
    assert found.percent == pytest.approx(3.5)
    assert (found.low, found.high) == pytest.approx((3.5 - 100 * half, 3.5 + 100 * half))


def test_no_change_has_no_width() -> None:
    assert paired_change(0, 0, 9) == paired_change(0, 0, 10)
    assert "0.00 % (95 %: 0.00 to 0.00)" in str(paired_change(0, 0, 9))
