"""Standard errors for comparisons: never less than the binomial's on effective answers."""

import numpy as np
import pytest
from scipy import stats

from analysis.standard_errors import cautious


def test_its_own_error_counts_where_it_is_the_larger():
    assert cautious([0.2], [0.1], [0.9], [0.9], [100.0])[0] == 0.2


def test_the_binomial_error_on_effective_answers_is_the_least():
    rate, n = np.array([0.9, 0.6, 0.5]), np.array([40.0, 12.0, 3.0])
    found = cautious([1e-6] * 3, rate, rate, rate, n)
    np.testing.assert_allclose(found, stats.binom.std(n, rate) / n, rtol=1e-12)


def test_without_an_own_error_half_the_interval_stands_for_it():
    found = cautious(
        [0.0, np.nan], [0.5, 0.5], [0.9, 0.9], [0.99, 0.99], [1e9, 1e9], confidence=0.9
    )
    np.testing.assert_allclose(found, 0.2 / stats.norm.ppf(0.95), rtol=1e-12)


def test_a_unit_without_answers_has_none():
    assert np.isnan(cautious([np.nan], [np.nan], [np.nan], [np.nan], [0.0])).all()


def test_confidence_must_be_one():
    with pytest.raises(ValueError, match="confidence"):
        cautious([0.1], [0.1], [0.9], [0.5], [10.0], confidence=1.0)
