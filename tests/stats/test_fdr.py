import numpy as np
import pytest
from scipy import stats

from polyroute.stats.fdr import benjamini_hochberg


def test_by_hand() -> None:
    assert benjamini_hochberg([0.01, 0.04, 0.03, 0.5]) == pytest.approx([0.04, 0.16 / 3, 0.16 / 3, 0.5])


def test_tests_that_were_not_made_count_for_nothing() -> None:
    p = np.array([0.01, np.nan, 0.04, 0.03])
    found = benjamini_hochberg(p)
    assert np.isnan(found[1])
    assert found[[0, 2, 3]] == pytest.approx(stats.false_discovery_control(p[[0, 2, 3]]))
    assert np.isnan(benjamini_hochberg([np.nan, np.nan])).all()
    assert benjamini_hochberg([]).shape == (0,)


def test_what_is_no_p_value_is_refused() -> None:
    with pytest.raises(ValueError, match="0 and 1"):
        benjamini_hochberg([0.2, 1.2])
