"""The conventions of different surveys, each on a published or an official example."""

import numpy as np
import pytest

from analysis.conventions import CONVENTIONS, counted, mean_level


def test_nhs_fft_counts_dont_know_in_the_denominator():
    # NHS England, Friends and Family Test guidance (September 2019), calculation: very good and
    # good over all responses, "don't know" among them.
    found = counted("nhs-fft", [20, 10, 30, 200, 700], 40)
    assert found.successes / found.trials == pytest.approx(900 / 1000)


def test_the_others_leave_no_opinion_out():
    levels = [[1, 2, 7, 50, 40], [0, 0, 0, 0, 0]]
    for name, top in (("sipas", 90), ("moh-3869", 90), ("hcahps-top-box", 40)):
        found = counted(name, levels, [25, 3])
        assert found.successes.tolist() == [top, 0] and found.trials.tolist() == [100, 0]


def test_every_convention_names_its_source():
    assert all(name == rule.name and rule.source for name, rule in CONVENTIONS.items())


def test_mean_score_is_numpys():
    answers = np.repeat([1, 2, 3, 4, 5], [3, 1, 4, 10, 7])
    mean, deviation = mean_level([3, 1, 4, 10, 7], [1, 2, 3, 4, 5])
    assert mean == pytest.approx(answers.mean())
    assert deviation == pytest.approx(answers.std(ddof=1))


def test_what_is_impossible_is_refused_by_name():
    with pytest.raises(ValueError, match="name"):
        counted("best", [1, 2, 3])
    with pytest.raises(ValueError, match="levels"):
        counted("sipas", [1, 2])
    with pytest.raises(ValueError, match="values"):
        mean_level([1, 2, 3], [1, 2])
