"""The rule of times: which moment counts, and on which local day."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.access.callers import STRANGER, Caller, Grant
from app.access.models import Right
from app.intake.times import AnsweredInFuture, Clock, ReceiptRule
from app.settings import Settings

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
SETTINGS = Settings(clock_tolerance_s=120, backlog_days=30)
DEVICE = Caller("kiosk", (Grant(frozenset({Right.SUBMIT})),), credential_id=1)
IMPORTER = Caller("import", (Grant(frozenset({Right.IMPORT_HISTORY})),), credential_id=2)


def counted(caller, claimed, sent_at=None):
    return placed(caller, claimed, sent_at)[0]


def placed(caller, claimed, sent_at=None, **known):
    return Clock(SETTINGS, caller, NOW, sent_at).counted_at(claimed, **known)


@pytest.mark.parametrize("caller", [DEVICE, IMPORTER])
def test_a_moment_shortly_ago_counts_as_claimed(caller):
    assert counted(caller, NOW - timedelta(seconds=100)) == NOW - timedelta(seconds=100)


@pytest.mark.parametrize("caller", [DEVICE, IMPORTER, STRANGER])
def test_a_clock_a_little_ahead_is_taken_for_now(caller):
    assert counted(caller, NOW + timedelta(seconds=119)) == NOW


def test_a_device_may_claim_what_it_kept_offline_within_the_bound():
    long_ago = NOW - timedelta(days=29, hours=23)
    assert placed(DEVICE, long_ago) == (long_ago, None)
    # Beyond it, and ahead, it is counted at receipt and marked: who was thanked is counted.
    assert placed(DEVICE, NOW - timedelta(days=30, seconds=1)) == (NOW, ReceiptRule.BEYOND_BACKLOG)
    assert placed(DEVICE, datetime(2020, 1, 1, tzinfo=UTC)) == (NOW, ReceiptRule.BEYOND_BACKLOG)
    assert placed(DEVICE, NOW + timedelta(seconds=121)) == (NOW, ReceiptRule.AHEAD_OF_SERVER)
    assert placed(DEVICE, NOW + timedelta(seconds=120)) == (NOW, None)


@pytest.mark.parametrize("shown", [datetime(2020, 1, 1, tzinfo=UTC), NOW + timedelta(days=730)])
def test_an_age_by_a_steady_clock_counts_whatever_the_calendar_shows(shown):
    three_days = timedelta(days=3)
    for sent_at in (None, shown, NOW):
        assert placed(DEVICE, shown, sent_at, age_s=259_200) == (NOW - three_days, None)
    assert placed(DEVICE, shown, age_s=40 * 86_400) == (NOW, ReceiptRule.BEYOND_BACKLOG)
    # A stranger's word moves nothing, and history is dated by its own days.
    assert placed(STRANGER, shown, age_s=259_200) == (NOW, None)
    years_ago = datetime(2019, 1, 1, tzinfo=UTC)
    assert placed(IMPORTER, years_ago, age_s=5, lost=True) == (years_ago, None)


def test_a_device_that_lost_its_clock_is_counted_at_receipt_however_likely_its_time_looks():
    likely = NOW - timedelta(hours=4)
    assert placed(DEVICE, likely, lost=True) == (NOW, ReceiptRule.CLOCK_LOST)
    assert placed(STRANGER, likely, lost=True) == (NOW, None)


def test_a_stranger_is_counted_at_receipt_whatever_is_claimed():
    # bcgov/common-hosted-form-service pull request 1916
    for ago in (timedelta(days=3), -timedelta(days=3), timedelta(seconds=5)):
        assert counted(STRANGER, NOW - ago) == NOW


def test_history_is_a_right_of_its_own():
    years_ago = datetime(2019, 1, 1, tzinfo=UTC)
    assert counted(IMPORTER, years_ago) == years_ago
    with pytest.raises(AnsweredInFuture):
        counted(IMPORTER, NOW + timedelta(days=1))


def test_a_wrong_clock_of_a_device_is_corrected_by_what_it_says_it_is():
    behind = NOW - timedelta(days=400)
    answered = behind - timedelta(hours=2)
    assert counted(DEVICE, answered, sent_at=behind) == NOW - timedelta(hours=2)
    ahead = NOW + timedelta(hours=9)
    assert counted(DEVICE, ahead - timedelta(minutes=5), sent_at=ahead) == NOW - timedelta(
        minutes=5
    )
    # Within the tolerance the difference may be the network's: nothing is corrected.
    claimed = NOW - timedelta(seconds=100)
    assert counted(DEVICE, claimed, sent_at=NOW - timedelta(seconds=90)) == claimed
    # A stranger's word about its clock moves nothing.
    assert counted(STRANGER, NOW - timedelta(days=1), sent_at=NOW - timedelta(days=1)) == NOW


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 11, 24, 16, 59, 59, tzinfo=UTC), date(2026, 11, 24)),
        (datetime(2026, 11, 24, 17, 0, tzinfo=UTC), date(2026, 11, 25)),
        (datetime(2026, 11, 23, 17, 0, tzinfo=UTC), date(2026, 11, 24)),
    ],
)
def test_the_day_is_local(moment, day):
    clock = Clock(SETTINGS, IMPORTER, NOW)
    assert clock.local_day(moment) == day
    assert clock.local_day(moment) == day == moment.astimezone(ZoneInfo("Asia/Ho_Chi_Minh")).date()
    assert clock.local_day(moment - timedelta(days=1)) == day - timedelta(days=1)
