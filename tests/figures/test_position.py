"""Where an interval lies against the target; one that touches it holds it."""

import pytest

from app.figures.families import interval_position as position


@pytest.mark.parametrize(
    ("low", "high", "found"),
    [
        (0.901, 0.95, "above"),
        (0.9, 0.95, "not_distinguishable"),
        (0.8, 0.9, "not_distinguishable"),
        (0.8, 0.899, "below"),
        (None, 0.95, None),
        (0.8, None, None),
    ],
)
def test_an_interval_lies_above_below_or_around_the_target(low, high, found):
    assert position(low, high, 0.9) == found
