"""Cronbach's alpha against R's psych."""

import numpy as np
import pytest

from analysis.reliability import cronbach_alpha
from tests.references import reference

BFI = reference("cronbach_alpha")


def test_equals_psych():
    # R psych 2.2.9 alpha() on 400 respondents of psychTools::bfi
    found = cronbach_alpha(BFI["answers"])
    assert found.alpha == pytest.approx(BFI["alpha"], rel=1e-9)
    assert (found.low, found.high) == pytest.approx(tuple(BFI["feldt"]), rel=1e-9)
    np.testing.assert_allclose(found.alpha_if_deleted, BFI["alpha_if_deleted"], rtol=1e-9)
    np.testing.assert_allclose(found.item_rest_correlation, BFI["item_rest_r"], rtol=1e-9)
    assert found.n == 400


def test_gaps_are_left_out_and_the_order_of_items_does_not_matter():
    answers = np.array(BFI["answers"], dtype=float)
    with_gap = np.vstack([answers, [5, np.nan, 5, 5, 5]])
    turned = cronbach_alpha(with_gap[:, ::-1])
    assert turned.n == 400 and turned.alpha == pytest.approx(BFI["alpha"])
    np.testing.assert_allclose(turned.item_rest_correlation[::-1], BFI["item_rest_r"])


def test_two_items_have_no_alpha_without_one():
    found = cronbach_alpha([[1, 2], [3, 3], [5, 4]])
    assert np.isnan(found.alpha_if_deleted).all() and found.alpha > 0.8


def test_nobody_nothing_that_varies_and_the_impossible():
    assert np.isnan(cronbach_alpha([[1, 2]]).alpha)
    assert np.isnan(cronbach_alpha([[5, 5], [5, 5], [5, 5]]).alpha)
    with pytest.raises(ValueError, match="two items"):
        cronbach_alpha([[1], [2]])
    with pytest.raises(ValueError, match="infinite"):
        cronbach_alpha([[1, np.inf], [2, 3]])
