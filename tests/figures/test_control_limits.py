"""What a trend says of each period: which rules mark it, of which runs it is part, which way."""

from datetime import UTC, date, datetime

import numpy as np
import pytest

from app.figures.control_limits import Judging, Rules, judge
from app.figures.limit_decisions import Decided
from app.figures.periods import Step
from app.figures.trend_results import NhsRule, Rule, Variation

LABELS = [f"{2024 + m // 12}-{m % 12 + 1:02}" for m in range(24)]
#: Thirteen ordinary months about 90 %, one of the other side, then eight lower ones.
ORDINARY = [0.9, 0.91, 0.89, 0.9, 0.92, 0.88, 0.9, 0.91, 0.89, 0.9, 0.91, 0.89, 0.9, 0.91]
LOWER = [0.88, 0.87, 0.885, 0.875, 0.88, 0.87, 0.88, 0.875]


def judged(rates, judging, decided=()):
    rate = np.array([rates])
    n = np.full(rate.shape, 400.0)
    return judge(rate, n, [decided], LABELS[: rate.shape[1]], Step.MONTH, judging)[0]


def test_all_eight_in_a_row_are_part_of_the_run_and_of_its_direction():
    found = judged(ORDINARY + LOWER, Judging(chosen=(Rule.EIGHT,)))
    begin = len(ORDINARY)
    assert np.flatnonzero(found.signals[Rule.EIGHT]).tolist() == [begin + 7]
    assert np.flatnonzero(found.parts[Rule.EIGHT]).tolist() == list(range(begin, begin + 8))
    assert {found.variation(at) for at in range(begin, begin + 8)} == {Variation.CONCERN}
    assert found.variation(begin - 1) is Variation.COMMON_CAUSE


def test_the_mirror_image_is_an_improvement():
    low = [1 - rate for rate in ORDINARY + LOWER]
    found = judged(low, Judging(chosen=(Rule.EIGHT,)))
    assert found.variation(len(ORDINARY)) is Variation.IMPROVEMENT


def test_no_run_goes_on_where_limits_begin_anew():
    begins = date(2025, 7, 1)
    decided = Decided(
        1, begins, date(2024, 1, 1), date(2024, 12, 1), "2024-01", "2024-12", "new", "Lê",
        datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    found = judged(ORDINARY + LOWER, Judging(chosen=(Rule.EIGHT,)), [decided])
    assert [segment.start for segment in found.segments] == ["2024-01", "2025-07"]
    assert not found.parts[Rule.EIGHT].any() and not found.run_side.any()


def test_a_stretch_of_the_ewma_is_marked_whole_and_cut_with_the_trend():
    lower = [rate - 0.02 for rate in LOWER]
    found = judged(ORDINARY + lower, Judging(chosen=(Rule.EWMA,)))
    fired, parts = found.signals[Rule.EWMA], found.parts[Rule.EWMA]
    assert fired.any() and parts.sum() > fired.sum() and parts[fired].all()
    cut = found.cut(5)
    assert cut.parts[Rule.EWMA].tolist() == parts[5:].tolist()
    assert cut.run_side.tolist() == found.run_side[5:].tolist()


@pytest.mark.parametrize("rule", [NhsRule.TREND, NhsRule.SHIFT])
def test_runs_of_the_nhs_keep_their_direction(rule):
    rising = [0.8 + 0.01 * m for m in range(8)] if rule is NhsRule.TREND else [0.92] * 8
    found = judged(ORDINARY + rising, Judging(Rules.NHS))
    parts = np.flatnonzero(found.parts[rule])
    assert len(parts) >= 7
    last = int(parts[-1])
    assert found.variation(last) is Variation.IMPROVEMENT
