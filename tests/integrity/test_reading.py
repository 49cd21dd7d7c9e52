"""What is read for examination is what was stored, and no more."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.intake.times import ReceiptRule
from app.integrity import reading
from app.integrity.reading import (
    GROUPS,
    Hours,
    Range,
    Source,
    month_after,
    names,
    read,
    slices,
)
from app.registry.models import Channel
from tests.integrity.stored import MONTH, ZONE, desk_form, honest, one, rated, store

EPOCH = datetime(1970, 1, 1)


def local(day, hour=9, minute=0):
    return datetime(2026, 9, day, hour, minute, tzinfo=ZONE)


def seconds(at):
    """Local seconds since 1970, by the calendar."""
    return (at.astimezone(ZONE).replace(tzinfo=None) - EPOCH).total_seconds()


def of_month(database, version, month=MONTH, **changes):
    with database.reading() as session:
        return read(session, ZONE, version, month, hours=Hours(), **changes)


def test_what_is_read_is_what_was_stored(database, province):
    version, (c1, a1) = desk_form(database), (province.units["C1"], province.units["A1"])
    items = rated(version)
    received = local(12, 8, 15)
    sent = [
        one(version, c1, local(1, 0, 0), {"A1": 4, "B1": 5, "C1": 2}, credential=3, duration=41),
        one(version, c1, local(30, 23, 59), dict.fromkeys(items, 5), credential=3, duration=None,
            received=received),
        one(version, c1, local(6, 17, 59), {"A1": None, "B1": 1, "C1": 3}, credential=4,
            duration=None),
        one(version, a1, local(7, 6, 30), {"A1": 1, "B1": 2, "C1": 3}, channel=Channel.QR,
            credential=None, duration=12),
        one(version, a1, local(7, 18, 0), {"A1": 1, "B1": 2, "C1": 3, "trips": 2},
            channel=Channel.INVITATION, credential=None, duration=13),
    ]  # fmt: skip
    store(database, sent)
    found = of_month(database, version)
    assert found.version is version and found.month == MONTH
    at = {id: n for n, id in enumerate(names(found.id))}
    assert set(at) == {each.row.id for each in sent}
    order = [at[each.row.id] for each in sent]
    kept = found.responses
    assert [found.sources[s] for s in kept.source[order]] == [
        Source(c1, "kiosk", 3), Source(c1, "kiosk", 3), Source(c1, "kiosk", 4),
        Source(a1, "qr", None), Source(a1, "invitation", None),
    ]  # fmt: skip
    unit = kept.unit[order]
    assert unit[0] == unit[1] == unit[2] != unit[3] == unit[4] and set(unit) == {0, 1}
    np.testing.assert_array_equal(
        kept.answered_s[order], [seconds(each.row.answered_at) for each in sent]
    )
    assert kept.received_s[order[1]] == seconds(received)
    np.testing.assert_array_equal(kept.duration_s[order], [41, np.nan, np.nan, 12, 13])
    levels = kept.levels[order]
    assert levels.shape == (5, len(items)) and (levels[1] == 5).all()
    column = {code: n for n, code in enumerate(items)}
    assert [levels[0, column[code]] for code in ("A1", "B1", "C1", "A2")] == [4, 5, 2, 0]
    assert levels[2, column["A1"]] == 0  # no opinion is no level
    # A group is a channel, and whether the source ever sends a duration.
    group = kept.group[order]
    assert group[0] == group[1] != group[2] and len(set(group)) == 4 and max(group) < GROUPS
    # 30 September is a Wednesday, 6 and 7 a Sunday and a Monday; opened at 6:30, closed at 18:00.
    assert kept.open[order].tolist() == [False, False, False, True, False]
    # Other coded answers are one number: none, and another one.
    assert kept.particulars[order[3]] == 0 != kept.particulars[order[4]]


def test_paper_the_unfinished_other_months_and_versions_are_left_out(database, province):
    version, unit = desk_form(database), province.units["C1"]
    other = desk_form(database, "moh-outpatient")
    fine = one(version, unit, local(3), {"A1": 1, "B1": 2, "C1": 3})
    answers = {"A1": 4, "B1": 5, "C1": 2}
    store(
        database,
        [
            fine,
            one(version, unit, local(3), answers, channel=Channel.PAPER),
            one(version, unit, local(3), {"A1": 4}, partial=True),
            one(version, unit, datetime(2026, 8, 31, 23, 59, tzinfo=ZONE), answers),
            one(version, unit, datetime(2026, 10, 1, tzinfo=ZONE), answers),
            one(other, unit, local(3), {}, partial=True),
        ],
    )
    assert names(of_month(database, version).id) == [fine.row.id]
    assert len(of_month(database, version, date(2026, 8, 1)).id) == 1
    assert len(of_month(database, version, date(2026, 10, 1)).id) == 1
    nothing = of_month(database, version, date(2025, 1, 1))
    assert len(nothing.responses) == 0 and nothing.sources == ()
    assert nothing.responses.levels.shape == (0, len(rated(version)))


def test_what_is_dated_by_receipt_is_found_though_its_id_is_far_away(database, province):
    version, unit = desk_form(database), province.units["C1"]
    answers = {"A1": 4, "B1": 5, "C1": 2}
    sent = [
        one(version, unit, local(9), answers, made=made, receipt_rule=rule)
        for made, rule in (
            (datetime(2019, 1, 1, tzinfo=UTC), ReceiptRule.CLOCK_LOST),
            (datetime(2031, 1, 1, tzinfo=UTC), ReceiptRule.AHEAD_OF_SERVER),
            (local(9) - timedelta(days=40), None),
        )
    ]
    store(database, sent)
    found = of_month(database, version)
    assert set(names(found.id)) == {each.row.id for each in sent}
    assert names(of_month(database, version, date(2019, 1, 1)).id) == []


def test_parts_by_unit_are_the_whole(database, monkeypatch):
    version = desk_form(database)
    store(database, honest(version, range(1, 12), each=3))
    whole = of_month(database, version)
    with database.reading() as session:
        assert slices(session, version, MONTH) == 1
        monkeypatch.setattr(reading, "AT_ONCE", 10)
        assert slices(session, version, MONTH) == 4
    monkeypatch.setattr(reading, "_FETCHED", 2)
    parts = [of_month(database, version, part=part, parts=4) for part in range(4)]
    ids = [id for part in parts for id in names(part.id)]
    assert len(ids) == 33 and set(ids) == set(names(whole.id))
    units = [{source.unit_id for source in part.sources} for part in parts]
    assert sum(map(len, units)) == len(set().union(*units)) == 11
    levels = {
        id: row.tolist()
        for part in parts
        for id, row in zip(names(part.id), part.responses.levels, strict=True)
    }
    assert levels == dict(zip(names(whole.id), whole.responses.levels.tolist(), strict=True))
    some = of_month(database, version, units=[3, 5])
    assert {source.unit_id for source in some.sources} == {3, 5} and len(some.id) == 6


@given(
    at=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)),
    ranges=st.lists(
        st.tuples(st.floats(0, 24), st.floats(0, 24), st.sets(st.integers(1, 7))), max_size=3
    ),
)
def test_opening_hours_are_those_of_the_calendar(at, ranges):
    """Held against ``datetime``: its weekday from Monday, 1, and its time of day."""
    hour = at.hour + at.minute / 60 + (at.second + at.microsecond / 1e6) / 3600
    if any(abs(hour - end) < 1e-6 for each in ranges for end in each[:2]):
        return  # the last digit of a fraction
    hours = Hours(tuple(Range(opens, closes, tuple(days)) for opens, closes, days in ranges))
    (found,) = hours.open(np.array([(at - EPOCH).total_seconds()]))
    assert found == any(
        at.isoweekday() in days and opens <= hour < closes for opens, closes, days in ranges
    )


@pytest.mark.parametrize("day", [date(2026, 1, 1), date(2026, 12, 1), date(2028, 2, 1)])
def test_the_month_after_is_the_calendars(day):
    after = month_after(day)
    assert after.day == 1 and (after - timedelta(days=1)).month == day.month
