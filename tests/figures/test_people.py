"""Statistics that look at respondents one by one want enough of them, whoever asks."""

from types import SimpleNamespace

import pytest

from app.figures.people import LEAST_RESPONDENTS, TooFewRespondents, check_enough


def asking(*, everywhere, least):
    return SimpleNamespace(gate=SimpleNamespace(everywhere=everywhere, least=least))


@pytest.mark.parametrize(
    ("everywhere", "least", "enough"),
    [(False, 10, LEAST_RESPONDENTS), (False, 40, 40), (True, 40, LEAST_RESPONDENTS)],
)
def test_the_larger_of_the_two_limits_counts_for_who_may_not_see_few(everywhere, least, enough):
    context = asking(everywhere=everywhere, least=least)
    check_enough(context, None, enough)
    with pytest.raises(TooFewRespondents) as refused:
        check_enough(context, None, enough - 1)
    # How many there are is told to nobody who may not see few.
    assert refused.value.values["needed"] == enough
    assert refused.value.values["respondents"] == (enough - 1 if everywhere else None)
