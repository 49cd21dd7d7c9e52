"""Post-stratification and raking against R's survey package."""

import numpy as np
import pytest

from analysis.clustered import ratio
from analysis.weighting import NotConvergedError, poststratify, rake
from tests.references import reference

API = reference("poststratify_rake")
ROWS = API["data"]
SCORE = [row["api00"] for row in ROWS]
TYPE = ["EHM".index(row["stype"]) for row in ROWS]
WIDE = [["No", "Yes"].index(row["sch.wide"]) for row in ROWS]
DESIGN = {
    "weight": [row["pw"] for row in ROWS],
    "cluster": [row["dnum"] for row in ROWS],
    "clusters_in_population": 757,
}
OF_TYPE = [API["margins"]["stype"][each] for each in "EHM"]
OF_WIDE = [API["margins"]["sch.wide"][each] for each in ("No", "Yes")]


def test_poststratification_equals_r_survey():
    # R 4.2.2, survey 4.1.1: postStratify(~stype) on apiclus1, svymean(~api00)
    found = poststratify(SCORE, TYPE, OF_TYPE, **DESIGN)
    assert found.estimate == pytest.approx(API["poststratified_stype"]["mean"], rel=1e-9)
    assert found.standard_error == pytest.approx(API["poststratified_stype"]["se"], rel=1e-9)
    np.testing.assert_allclose(np.bincount(TYPE, found.weights), OF_TYPE)


def test_raking_equals_r_survey():
    # rake(~stype, ~sch.wide), which stops when margins are met to within one school: 1e-5.
    found = rake(SCORE, [TYPE, WIDE], [OF_TYPE, OF_WIDE], **DESIGN)
    assert found.estimate == pytest.approx(API["raked"]["mean"], rel=1e-6)
    assert found.standard_error == pytest.approx(API["raked"]["se"], rel=1e-5)
    np.testing.assert_allclose(np.bincount(WIDE, found.weights), OF_WIDE)


def test_weights_of_a_sample_that_has_the_margins_change_nothing():
    # Then the ratio and its standard error in one stratum are those of the clustered ratio.
    rng = np.random.default_rng(5)
    m = rng.integers(1, 20, 200).astype(float)
    a = rng.binomial(m.astype(int), 0.8).astype(float)
    found = poststratify(a, np.zeros(200, int), [5000], denominator=m, scale="logit")
    plain = ratio(a.sum(), m.sum(), a @ a, a @ m, m @ m, 200)
    assert found.estimate == pytest.approx(float(plain.estimate))
    assert found.kish_effect == pytest.approx(1.0)
    assert found.low == pytest.approx(float(plain.low), rel=1e-3)


def test_weighting_takes_out_the_bias_of_who_answers():
    # Of 10,000 served half are young, of whom 70 % are satisfied, against 90 % of the old; the
    # old answer four times as often. Simulated; the interval is wide enough to hold the truth.
    rng = np.random.default_rng(1)
    old = rng.random(2000) < 0.8
    satisfied = (rng.random(2000) < np.where(old, 0.9, 0.7)).astype(float)
    weighted = poststratify(satisfied, old.astype(int), [5000, 5000])
    assert weighted.low < 0.80 < weighted.high and satisfied.mean() > weighted.high
    assert weighted.kish_effect > 1.3


def test_margins_that_cannot_be_met_are_refused():
    with pytest.raises(NotConvergedError, match="no respondent"):
        poststratify([1, 0], [0, 0], [10, 5])
    with pytest.raises(ValueError, match="different sums"):
        rake([1, 0], [[0, 1], [0, 1]], [[1, 2], [1, 1]])
    with pytest.raises(NotConvergedError, match="contradict"):
        rake([1, 0], [[0, 1], [0, 1]], [[1, 2], [2, 1]])
    with pytest.raises(ValueError, match="place"):
        poststratify([1, 0], [0, 2], [10, 5])
    with pytest.raises(ValueError, match="numerator"):
        poststratify([1, np.nan], [0, 0], [10])
    with pytest.raises(ValueError, match="clusters_in_population"):
        poststratify([1, 0, 1], [0, 0, 0], [10], clusters_in_population=2)


def test_a_stratum_without_people_leaves_an_interval():
    """Its respondents weigh nothing; to the others they are as if they had not been asked."""
    rng = np.random.default_rng(3)
    stratum, asked = rng.integers(0, 3, 60), rng.integers(1, 5, 60)
    satisfied = rng.binomial(asked, 0.7)
    found = poststratify(satisfied, stratum, [500, 300, 0], denominator=asked)
    kept = stratum < 2
    alone = poststratify(satisfied[kept], stratum[kept], [500, 300], denominator=asked[kept])
    n = kept.sum()
    assert found.estimate == pytest.approx(alone.estimate)
    # R's n/(n − 1) counts them.
    assert found.standard_error == pytest.approx(
        alone.standard_error * np.sqrt(60 / 59 * (n - 1) / n)
    )


def test_raking_hears_nobody_who_weighs_nothing():
    """Their answers, and how many they are in a class, leave the weighted residuals as they are."""
    rng = np.random.default_rng(3)
    margins = [np.arange(400) % 2, rng.integers(0, 3, 400)]
    answers, weight = rng.normal(size=400) + margins[0], np.ones(400)
    weight[:300] = np.where(margins[0][:300] == 0, 0, 1)
    populations = [[500, 500], [300, 300, 400]]
    found = rake(answers, margins, populations, weight=weight)
    kept = weight > 0
    alone = rake(answers[kept], [each[kept] for each in margins], populations)
    assert found.estimate == pytest.approx(alone.estimate)
    assert found.standard_error == pytest.approx(alone.standard_error, rel=3e-3)
