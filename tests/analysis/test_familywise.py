"""Rates against a target, many at once: against R and SciPy, and in simulation."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from analysis import clustered, effective_sizes
from analysis.familywise import against, holm
from surveys.loader import FORMS, load_file

#: The form's own rated items: so many answers a respondent gives.
FORM = load_file(FORMS / "sipas-desk.yaml")
ITEMS = sum(len(FORM.index_items(factor)) for factor in FORM.index_factors)
UNITS, RUNS = 82, 400


def test_one_answer_each_is_the_binomials_tail_where_that_is_larger():
    for n, target in ((40, 0.9), (100, 0.8), (300, 0.95)):
        k = np.arange(n + 1)
        tail = np.where(
            k / n > target, stats.binom.sf(k - 1, n, target), stats.binom.cdf(k, n, target)
        )
        score = stats.norm.sf(np.abs(k / n - target) / np.sqrt(target * (1 - target) / n))
        found = against(k / n, n, n, target)
        assert found == pytest.approx(np.minimum(2 * np.maximum(tail, score), 1), rel=1e-6)


def test_what_is_called_lies_beside_the_interval():
    rng = np.random.default_rng(4)
    rate, people = rng.uniform(0, 1, 4000), rng.uniform(1, 200, 4000)
    size = people * rng.uniform(1, 8, 4000)
    low, high = effective_sizes.score_limits(rate, size, people)
    for target in (0.5, 0.9, 0.97):
        p, beside = against(rate, size, people, target), (low > target) | (high < target)
        assert beside[p < 0.05].all()
        assert 0 < (p < 0.05).sum() < beside.sum()


def test_of_nobody_nothing_is_said():
    assert np.isnan(against([np.nan, 0.5, 0.5], [10, 0, 10], [10, 5, 0], 0.9)).all()
    assert against([1.0, 0.0], 10, 10, 0.9) == pytest.approx([2 * 0.9**10, 2 * 0.1**10], rel=1e-6)
    for wrong in (0, 1, 1.5):
        with pytest.raises(ValueError, match="target"):
            against(0.5, 10, 10, wrong)


def test_holm_is_rs():
    """R 4.2.2: p.adjust(c(0.01, 0.02, 0.03, 0.005), "holm")."""
    assert holm([0.01, 0.02, 0.03, 0.005]) == pytest.approx([0.03, 0.04, 0.04, 0.02])
    p = np.random.default_rng(1).uniform(0, 0.2, 50)
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])
    more = multipletests([*p, *np.ones(7)], method="holm")[1][:50]
    assert holm(p, unseen=7) == pytest.approx(more)
    with_gaps = np.insert(p, [0, 20, 50], np.nan)
    assert np.array_equal(np.isnan(holm(with_gaps)), np.isnan(with_gaps))
    assert holm(with_gaps)[np.isfinite(with_gaps)] == pytest.approx(holm(p))
    assert not len(holm([]))
    with pytest.raises(ValueError, match=r"outside \[0, 1\]"):
        holm([0.5, 1.5])
    with pytest.raises(ValueError, match="negative"):
        holm([0.5], unseen=-1)


def provinces(rng, target, angry):
    """Sums of units that are exactly at the target, of people who resemble themselves, (6, ...)."""
    found = np.empty((6, RUNS, UNITS))
    for unit in range(UNITS):
        people = int(rng.choice([10, 20, 30, 60, 100, 200]))
        if angry:
            # A few are satisfied with one thing in five, and all others with nearly all.
            own = np.where(rng.random((RUNS, people)) < (0.99 - target) / 0.79, 0.2, 0.99)
        else:
            size = 1 / rng.uniform(0.05, 0.6) - 1
            own = rng.beta(target * size, (1 - target) * size, (RUNS, people))
        m = rng.binomial(ITEMS, 0.97, (RUNS, people))
        a, m = rng.binomial(m, own).astype(float), m.astype(float)
        parts = (a, m, a * a, a * m, m * m, (m > 0).astype(float))
        found[:, :, unit] = [part.sum(axis=-1) for part in parts]
    return found


@pytest.mark.parametrize("angry", [False, True])
@pytest.mark.parametrize("target", [0.8, 0.9, 0.95])
def test_of_units_at_the_target_one_is_called_in_a_twentieth_of_runs_at_most(target, angry):
    sums = provinces(np.random.default_rng([int(100 * target), angry]), target, angry)
    called, alone = 0, 0
    for run in range(RUNS):
        rho = np.round(effective_sizes.shared_correlation(*sums[:, run]), 2)
        found = clustered.ratio(*sums[:, run], correlation=np.full(UNITS, rho))
        p = against(found.estimate, found.interval_n, found.people, target)
        # Some units may not be seen: they are called by how many there are.
        unseen = np.arange(UNITS) % 8 == 0
        adjusted = np.where(unseen, np.minimum(p * UNITS, 1), np.nan)
        adjusted[~unseen] = holm(p[~unseen], unseen=int(unseen.sum()))
        called += bool((adjusted <= 0.05).any())
        alone += bool(((found.low > target) | (found.high < target)).any())
    assert called / RUNS <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / RUNS)
    # By its own interval some unit would be called in nearly all of them.
    assert alone / RUNS > 0.8
