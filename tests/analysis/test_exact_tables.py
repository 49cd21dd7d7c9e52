"""Whether a share is larger than before: against SciPy's test of one table, and in simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import fisher_exact

from analysis.exact_tables import larger

SIDE = st.integers(0, 40).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(SIDE, SIDE)
def test_it_is_fishers_test(now, before):
    (a, n), (b, m) = now, before
    found = larger(a, n, b, m)
    if 0 in (n, m):
        assert np.isnan(found)
    else:
        table = [[a, n - a], [b, m - b]]
        assert found == pytest.approx(fisher_exact(table, alternative="greater").pvalue, rel=1e-9)


def test_it_calls_no_more_than_it_says_where_nothing_changed():
    rng = np.random.default_rng(5)
    a, b = rng.binomial(40, 0.2, 4000), rng.binomial(90, 0.2, 4000)
    assert (larger(a, 40, b, 90) <= 0.05).mean() <= 0.05


def test_impossible_counts_are_refused():
    for counts in ((5, 4, 0, 1), (0, 4, 2, 1), (-1, 4, 0, 1), (np.nan, 4, 0, 1)):
        with pytest.raises(ValueError):
            larger(*counts)
