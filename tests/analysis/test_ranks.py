"""Confidence sets for ranks against R's csranks."""

import numpy as np
import pytest

from analysis.ranks import confidence_sets
from tests.references import reference

PISA = reference("rank_sets")


@pytest.mark.parametrize(("kind", "simultaneous"), [("marginal", False), ("simultaneous", True)])
def test_equals_csranks(kind, simultaneous):
    # csranks 1.2.2.9001 with 20,000 draws on PISA 2018. Critical values are simulated on both
    # sides: a comparison that lies at one may fall either way, so one rank (here once two).
    found = confidence_sets(PISA["estimate"], PISA["se"], simultaneous=simultaneous, draws=20_000)
    assert found.rank.tolist() == PISA["rank"]
    gaps = np.abs(np.r_[found.low - PISA[kind]["low"], found.high - PISA[kind]["high"]])
    assert gaps.max() <= 2 and (gaps > 0).sum() <= 4
    if simultaneous:
        assert found.may_be_best(5).astype(int).tolist() == PISA["may_be_best_5"]


def test_marginal_and_simultaneous_sets_keep_their_promise():
    # 200 samples of 12 units, four of them tied, which is the hard case.
    rng = np.random.default_rng(11)
    true = np.array([0.95, 0.92, 0.9, 0.9, 0.9, 0.9, 0.86, 0.85, 0.8, 0.8, 0.7, 0.6])
    best = 1 + (true[None, :] > true[:, None]).sum(axis=1)
    worst = len(true) - (true[None, :] < true[:, None]).sum(axis=1)
    se = rng.uniform(0.01, 0.03, 12)
    single, all_ = [], []
    for _ in range(200):
        x = true + rng.normal(0, se)
        for kept, simultaneous in ((single, False), (all_, True)):
            sets = confidence_sets(x, se, simultaneous=simultaneous, draws=400)
            kept.append((sets.low <= best) & (worst <= sets.high))
    assert np.array(single).mean(axis=0).min() >= 0.93
    assert np.array(all_).all(axis=1).mean() >= 0.93


def test_units_without_an_estimate_are_not_ranked():
    found = confidence_sets([0.9, np.nan, 0.5, 0.8], [0.01, 0.01, 0.01, 0.0])
    assert found.rank.tolist() == [1, 0, 2, 0] and found.low.tolist() == [1, 0, 2, 0]
    assert confidence_sets([], []).rank.tolist() == []
    alone = confidence_sets([0.9], [0.01])
    assert (alone.rank[0], alone.low[0], alone.high[0]) == (1, 1, 1)


def test_order_does_not_matter_and_the_same_seed_gives_the_same():
    x, se = np.array(PISA["estimate"][:15]), np.array(PISA["se"][:15])
    found, again = confidence_sets(x, se), confidence_sets(x, se)
    assert (found.low == again.low).all()
    turned = confidence_sets(x[::-1], se[::-1], draws=20_000)
    assert np.abs(turned.low[::-1] - confidence_sets(x, se, draws=20_000).low).max() <= 1


def test_what_is_impossible_is_refused():
    with pytest.raises(ValueError, match="standard_error"):
        confidence_sets([0.5], [-0.1])
    with pytest.raises(ValueError, match="one entry"):
        confidence_sets([0.5], [0.1, 0.1])
    with pytest.raises(ValueError, match="simultaneous"):
        confidence_sets([0.5, 0.6], [0.1, 0.1]).may_be_best(1)
