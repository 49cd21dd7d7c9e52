"""What is told apart, against limits computed draw by draw, and where nothing can be said."""

import numpy as np
import pytest

from analysis.contrasts import contrast, gathered, nothing, resampled


def test_limits_are_those_of_the_largest_deviation_of_each_draw():
    rng = np.random.default_rng(1)
    values = np.array([0.9, 0.86, 0.87, 0.85])
    drawn = values + rng.multivariate_normal(np.zeros(4), 0.0001 * (np.eye(4) + 0.5), 999)
    found = contrast(values, drawn, 100, 0.95)
    apart = [values[i] - np.delete(values, i).mean() for i in range(4)]
    again = np.array([[d[i] - np.delete(d, i).mean() for i in range(4)] for d in drawn])
    deviation = again.std(axis=0) * np.sqrt(100 / 99)
    largest = sorted(np.abs((again - apart) / deviation).max(axis=1))
    np.testing.assert_allclose(found.difference, apart)
    np.testing.assert_allclose(found.high - found.difference, largest[949] * deviation)
    assert found.told_apart.tolist() == [abs(d) > largest[949] * s for d, s in
                                         zip(apart, deviation, strict=True)]  # fmt: skip


def test_one_sided_and_among_some_alone():
    rng = np.random.default_rng(2)
    values = np.array([0.0, 1.0, 2.0, 0.2])
    found = contrast(values, values + rng.normal(0, 0.2, (999, 4)), 500, 0.95)
    assert found.above().tolist() == [False, False, True, False]
    assert found.below().tolist() == [True, False, False, True]
    assert found.below(among=np.array([False, False, True, True])).tolist() == [False] * 3 + [True]


def test_draws_of_groups_vary_as_draws_of_people_do():
    rows = np.random.default_rng(3).normal(5, 2, (20_000, 1))
    sums, people = gathered(rows, lambda each: each, np.random.default_rng(4))
    assert len(sums) == 1000 and people.sum() == 20_000
    assert sums.sum() == pytest.approx(rows.sum())
    drawn = resampled(sums, people, 4000, np.random.default_rng(5))
    assert drawn.std() == pytest.approx(rows.std() / np.sqrt(20_000), rel=0.07)


def test_nothing_is_said_of_one_or_of_what_does_not_vary():
    assert np.isnan(contrast(np.array([1.0]), np.ones((9, 1)), 9, 0.95).difference).all()
    even = contrast(np.array([1.0, 2.0]), np.tile([1.0, 2.0], (9, 1)), 9, 0.95)
    assert even.difference.tolist() == [-1, 1] and not even.told_apart.any()
    assert not nothing(3).above().any()
