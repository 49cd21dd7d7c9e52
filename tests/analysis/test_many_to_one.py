"""One unit against all others: Dunnett's tables, and the multivariate normal distribution."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.many_to_one import classes, critical


def test_equals_dunnetts_tables():
    # Dunnett 1964 (two-sided) and 1955 (one-sided): 5 %, infinitely many degrees of freedom.
    for others, two_sided, one_sided in (
        (1, 1.96, 1.64), (2, 2.21, 1.92), (3, 2.35, 2.06), (5, 2.51, 2.23), (9, 2.69, 2.42)
    ):  # fmt: skip
        equal, se = np.zeros(others + 1), np.ones(others + 1)
        assert critical(equal, se, 0.95) == pytest.approx(two_sided, abs=0.006)
        # Of a unit that is far below all others only "is not below" stands against each.
        first = np.r_[-1e3, np.zeros(others)]
        assert critical(first, se, 0.95)[0] == pytest.approx(one_sided, abs=0.006)


@pytest.mark.parametrize("widest", [1, 4, 100, 1e4])
def test_equals_the_normal_distribution_of_all_differences(widest):
    se = np.geomspace(1, widest, 5)
    found = critical(np.zeros(5), se, 0.95)
    for i in range(5):
        others = np.delete(np.arange(5), i)
        slope = se[i] / np.hypot(se[i], se[others])
        correlation = np.outer(slope, slope) + np.diag(1 - slope**2)
        limit = np.full(4, found[i])
        inside = stats.multivariate_normal.cdf(
            limit, cov=correlation, allow_singular=True, lower_limit=-limit, abseps=1e-4,
            rng=np.random.default_rng(1),
        )  # fmt: skip
        assert inside == pytest.approx(0.95, abs=0.001)


def test_steps_down_to_what_stands():
    # Two groups far apart: of a unit both directions stand in its own group, one in the other.
    x, se = np.repeat([0.0, 100.0], 3), np.ones(6)
    found = critical(x, se, 0.95)
    noise = np.random.default_rng(3).standard_normal((6, 400_000))
    gaps = (noise[1:] - noise[0]) / np.sqrt(2)
    largest = np.maximum(np.abs(gaps[:2]).max(axis=0), -gaps[2:].min(axis=0))
    assert found[0] == pytest.approx(np.quantile(largest, 0.95), abs=0.01)
    assert found == pytest.approx(found[0], abs=1e-3)
    assert (found < critical(np.zeros(6), se, 0.95)).all()


def test_classes_of_nearly_equal_errors_stand_for_their_units():
    # 300 units in classes, beside the same with every unit a class of its own.
    rng = np.random.default_rng(5)
    x, se = rng.normal(0.85, 0.05, 300), rng.uniform(0.01, 0.04, 300)
    few = np.r_[0, 150, 299]
    coarse = critical(x, se, 0.95)[few]
    for i, value in zip(few, coarse, strict=True):
        own = rng.standard_normal(40_000) * se[i]
        largest = np.zeros(40_000)
        for k in range(300):
            if k != i:
                h = np.hypot(se[i], se[k])
                gap = (rng.standard_normal(40_000) * se[k] - own) / h
                distance = (x[k] - x[i]) / h
                up, down = distance <= value, distance >= -value
                np.maximum(largest, np.maximum(gap * up, -gap * down), out=largest)
        assert (largest <= value).mean() == pytest.approx(0.95, abs=0.004)
    assert len(classes(se)[1]) < 40


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0.01, 1)), min_size=2, max_size=12),
    st.sampled_from([0.6, 0.9, 0.95, 0.99]),
)
def test_lies_between_one_comparison_and_bonferroni(units, confidence):
    x, se = np.array(units).T
    found = critical(x, se, confidence)
    least = stats.norm.ppf(confidence)
    most = stats.norm.isf((1 - confidence) / 2 / (len(x) - 1))
    assert (found >= least - 2e-3).all() and (found <= most + 2e-3).all()
