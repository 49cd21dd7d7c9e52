"""What all units share: taken apart without those that changed, and told where it moved."""

import numpy as np
import pytest
from scipy import special

from analysis.common_movement import LEAST_UNITS, movement, take_apart

MONTHS = np.arange(24)


def province(seed, common, units=60, n=150.0):
    rng = np.random.default_rng(seed)
    level = rng.normal(2.0, 0.5, (units, 1)) + common
    return rng.binomial(int(n), special.expit(level)) / n, np.full((units, 24), n)


def test_it_finds_what_all_share_and_units_that_fell_do_not_move_it():
    season = 0.3 * np.sin(2 * np.pi * MONTHS / 12)
    rate, n = province(1, season)
    rate[:6, 12:] *= 0.6
    found = take_apart(rate, n)
    np.testing.assert_allclose(found.common - found.common.mean(), season, atol=0.15)
    error = found.common - season
    assert np.std(error) < 2 * found.error.mean() < 0.15
    assert found.apart[:6, 12:].mean() < -0.7 < -0.1 < found.apart[6:].mean()


def test_what_is_left_has_no_bias_near_100_per_cent():
    rng = np.random.default_rng(2)
    n = np.full((400, 24), 20.0)
    rate = rng.binomial(20, 0.98, n.shape) / 20
    rate[0] = 1.0  # always
    found = take_apart(rate, n)
    assert np.isfinite(found.level).all() and np.isfinite(found.apart).all()
    late, early = found.apart[:, 12:].mean(), found.apart[:, :12].mean()
    assert late - early == pytest.approx(0, abs=0.05)
    standardised = found.apart[1:] / np.sqrt(found.variance[1:])
    assert standardised.std() == pytest.approx(1, abs=0.1)


def test_of_few_units_nothing_is_common():
    rate, n = province(3, -0.5 * (MONTHS >= 12), units=LEAST_UNITS - 1)
    found = take_apart(rate, n)
    assert not found.common.any() and np.isnan(found.error).all()
    assert movement(found.common, found.error).since == -1


def test_a_fall_of_all_is_dated_and_sized_beside_a_season():
    wave = 2 * np.pi * MONTHS / 12
    common = 0.3 * np.sin(wave + 1) - 0.5 * (MONTHS >= 18)
    courses = take_apart(*province(4, common))
    season = np.column_stack([np.cos(wave), np.sin(wave)])
    found = movement(courses.common, courses.error, explained=season)
    assert found.since == 18 and found.p < 0.001
    assert found.change == pytest.approx(-0.5, abs=3 * found.error)
    # The season alone is no movement, where it is allowed for.
    courses = take_apart(*province(5, 0.3 * np.sin(wave + 1)))
    assert movement(courses.common, courses.error, explained=season).p > 0.05


def test_common_months_that_vary_anyway_are_no_movement():
    rng = np.random.default_rng(6)
    p = []
    for _ in range(60):
        level = rng.normal(0, 0.1, 24)
        for t in range(1, 24):
            level[t] = 0.5 * level[t - 1] + np.sqrt(0.75) * level[t]
        p.append(movement(level, np.full(24, 0.03)).p)
    assert np.mean(np.array(p) < 0.05) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 60)


def test_what_is_impossible_is_refused():
    with pytest.raises(ValueError, match="estimate"):
        take_apart([[1.2]], [[3]])
    with pytest.raises(ValueError, match="one shape"):
        take_apart([[0.9, 1.0]], [[3]])
    with pytest.raises(ValueError, match="periods"):
        movement([1.0, 2.0], [1.0])
