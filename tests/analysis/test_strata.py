"""A parent's figure from its strata, against R's survey package."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.proportions import interval
from analysis.strata import combine
from tests.references import reference

API = reference("stratified")
STRATA = list(API["strata"].values())


def test_rates_equal_r_survey():
    # R 4.2.2, survey 4.1.1: svymean(~I(awards == "Yes")) on apistrat with fpc; its weights are
    # stored in single precision, hence 1e-7.
    found = combine(
        [s["rate"] for s in STRATA], [s["se_fpc"] for s in STRATA], [s["N"] for s in STRATA]
    )
    assert found.estimate == pytest.approx(API["rate"], rel=1e-7)
    assert found.standard_error == pytest.approx(API["rate_se"], rel=1e-7)
    assert found.low < found.estimate < found.high and found.covered == 1


def test_means_equal_r_survey():
    # the same for api00, whose standard errors follow from the variances in the strata
    se = [np.sqrt((1 - s["n"] / s["N"]) * s["var_api00"] / s["n"]) for s in STRATA]
    found = combine(
        [s["mean_api00"] for s in STRATA], se, [s["N"] for s in STRATA], scale="identity"
    )
    assert found.estimate == pytest.approx(API["mean_api00"], rel=1e-9)
    assert found.standard_error == pytest.approx(API["mean_api00_se"], rel=1e-7)
    assert found.high - found.estimate == pytest.approx(1.959964 * API["mean_api00_se"], rel=1e-6)


def test_limits_take_t_with_the_designs_degrees_of_freedom_as_r_does():
    # R 4.2.2, survey 4.1.1, svydesign(ids=~1, strata=~s, fpc=~N): degf is 9,
    # svyciprop(~y, design, method="xlogit") 0.286809769675199 to 0.914722026994674, and
    # confint(svymean(~y, design), df=9) 0.31482650015555 to 1.03517349984445.
    satisfied, n, size = np.array([3.0, 2, 3]), np.array([4.0, 4, 4]), np.array([500.0, 300, 200])
    rate = satisfied / n
    se = np.sqrt((1 - n / size) * rate * (1 - rate) / (n - 1))
    found = combine(rate, se, size, n=n)
    assert found.low == pytest.approx(0.286809769675199, rel=1e-9)
    assert found.high == pytest.approx(0.914722026994674, rel=1e-9)
    plain = combine(rate, se, size, n=n, scale="identity")
    assert (plain.low, plain.high) == pytest.approx((0.31482650015555, 1.03517349984445), rel=1e-9)
    # Not known how many they were: the normal quantile, as before.
    assert combine(rate, se, size).low == pytest.approx(0.33367616, rel=1e-6)
    # A stratum without weight, or without an estimate, adds none.
    more = combine([*rate, np.nan, 0.9], [*se, np.nan, 0.1], [*size, 50, 0], n=[*n, 40, 40])
    assert (more.low, more.high) == pytest.approx((found.low, found.high))
    # One respondent in each: the widest t there is, and not nothing.
    assert combine([0.5, 0.6], [0.5, 0.5], [10, 10], n=[1, 1]).low < 0.01


def test_a_stratum_without_an_estimate_is_left_out_and_said_so():
    found = combine([[0.9, np.nan], [np.nan, np.nan]], 0.02, [[300, 100], [1, 1]])
    np.testing.assert_allclose(found.covered, [0.75, 0.0])
    assert found.estimate[0] == 0.9 and np.isnan(found.estimate[1]) and np.isnan(found.low[1])


def test_unanimous_strata_get_the_exact_interval_on_all_respondents():
    found = combine([1.0, 1.0], [0.0, 0.0], [10, 30], n=[12, 18])
    assert found.low == interval(30, 30, method="exact").low and found.high == 1.0
    unknown = combine([1.0, 1.0], [0.0, 0.0], [10, 30])
    assert np.isnan(unknown.low)


@given(st.lists(st.tuples(st.floats(0.05, 0.95), st.floats(0.001, 0.1)), min_size=1, max_size=9))
def test_equal_weights_are_no_weights_and_order_does_not_matter(strata):
    rate, se = np.array(strata).T
    found, turned = combine(rate, se, 7.0), combine(rate[::-1], se[::-1], 7.0)
    assert found.estimate == pytest.approx(rate.mean())
    assert found.standard_error == pytest.approx(np.sqrt((se**2).sum()) / len(se))
    assert turned.low == pytest.approx(found.low) and 0 <= found.low <= found.high <= 1


def test_what_is_impossible_is_refused_by_name():
    for arguments, named in (
        (([0.5], [0.1], [-1]), "weight"),
        (([0.5, 0.5], [0.1, 0.1], [1, 2, 3]), "fit"),
    ):
        with pytest.raises(ValueError, match=named):
            combine(*arguments)
    with pytest.raises(ValueError, match="scale"):
        combine([0.5], [0.1], [1], scale="log")
