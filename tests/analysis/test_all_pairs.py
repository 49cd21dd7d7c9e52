"""All pairs at once: the studentised range, and plain simulation where errors differ."""

import numpy as np
import pytest
from scipy import stats

from analysis.all_pairs import critical


def at_95(x, se, **more):
    return critical(np.asarray(x, float), np.asarray(se, float), 0.95, **more)


@pytest.mark.parametrize("units", [2, 3, 10, 38, 100])
def test_equals_the_studentised_range(units):
    # SciPy's, over √2; for three units 3.314 in Tukey's and Kramer's tables.
    expected = stats.studentized_range.ppf(0.95, units, np.inf) / np.sqrt(2)
    found = [at_95(np.zeros(units), np.ones(units), seed=seed, draws=20_000) for seed in range(4)]
    assert np.mean(found) == pytest.approx(expected, abs=0.004)


def largest_difference(se, draws, stands=None):
    """Of each draw the largest studentised difference among the directions that stand."""
    noise = np.random.default_rng(8).standard_normal((draws, len(se)), dtype=np.float32) * se
    largest = np.zeros(draws)
    for i in range(len(se)):
        for k in range(len(se)):
            if i != k and (stands is None or stands[k, i]):
                gap = (noise[:, k] - noise[:, i]) / np.hypot(se[i], se[k])
                np.maximum(largest, gap, out=largest)
    return largest


@pytest.mark.parametrize(
    "se",
    [np.geomspace(1, 10, 20), np.geomspace(1, 1e5, 20), np.r_[np.ones(19), 100.0]],
    ids=["1:10", "1:100,000", "one unsure unit"],
)
def test_equals_plain_simulation_where_errors_differ(se):
    found = np.mean([at_95(np.zeros(20), se, seed=seed, draws=10_000) for seed in range(3)])
    missed = (largest_difference(se, 60_000) > found).mean()
    assert missed == pytest.approx(0.05, abs=0.003)


def test_steps_down_to_what_stands():
    # All told apart: that the lower of two is not above it stands of each pair, and nothing else.
    se = np.geomspace(1, 4, 15)
    x = np.arange(15) * 1e3
    found = np.mean([at_95(x, se, seed=seed, draws=10_000) for seed in range(3)])
    stands = np.tri(15, k=-1).T.astype(bool)  # stands[k, i]: k < i is not above i
    missed = (largest_difference(se, 60_000, stands) > found).mean()
    assert missed == pytest.approx(0.05, abs=0.003)
    assert found < at_95(np.zeros(15), se, seed=0, draws=10_000) - 0.1
    # In part: whoever is a step apart.
    x = np.repeat([0.0, 1e3, 2e3], 5)
    half = at_95(x, se, seed=0, draws=10_000)
    stands = x[:, None] <= x[None, :]
    assert (largest_difference(se, 60_000, stands) > half).mean() == pytest.approx(0.05, abs=0.004)


def test_order_does_not_matter_and_the_same_seed_gives_the_same():
    rng = np.random.default_rng(4)
    x, se = rng.normal(0, 3, 60), rng.uniform(1, 5, 60)
    turned = rng.permutation(60)
    first = at_95(x, se, seed=1, draws=2_000)
    assert (
        first
        == at_95(x, se, seed=1, draws=2_000)
        == at_95(x[turned], se[turned], seed=1, draws=2_000)
    )
    assert first != at_95(x, se, seed=2, draws=2_000)


@pytest.mark.parametrize("confidence", [0.05, 0.3, 0.6, 0.999])
def test_two_units_at_any_confidence(confidence):
    found = critical(np.zeros(2), np.ones(2), confidence, seed=1, draws=20_000)
    assert found == pytest.approx(stats.norm.ppf((1 + confidence) / 2), abs=0.02)
    apart = critical(np.array([0.0, 1e3]), np.ones(2), confidence, seed=1, draws=20_000)
    assert apart == pytest.approx(max(stats.norm.ppf(confidence), 0.0), abs=0.02)


def test_the_level_is_lowered_until_enough_differences_exceed_it():
    # Errors so unequal that an unsure unit's pairs exceed together: the level, which is set by the
    # number of pairs, lies above the critical value at first.
    se = np.geomspace(1, 1e30, 40)
    found = at_95(np.zeros(40), se, seed=1, draws=10_000)
    assert found < stats.norm.isf(2.5 * 0.05 / (40 * 39 / 2)) - 0.05
    assert (largest_difference(se, 30_000) > found).mean() == pytest.approx(0.05, abs=0.004)
