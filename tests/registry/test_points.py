"""Survey points and their public codes."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from app.registry.models import PointState
from app.registry.points import (
    ALPHABET,
    Point,
    RevokedPointError,
    change_state,
    current_code,
    find_by_code,
    new_code,
    reprint,
)

NOW = datetime(2026, 11, 24, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_codes_are_short_and_have_no_letters_that_look_alike():
    codes = {new_code() for _ in range(2000)}
    assert len(codes) == 2000
    assert all(re.fullmatch(f"[{ALPHABET}]{{7}}", code) for code in codes)
    assert not set("0O1ILU") & set(ALPHABET)


def test_reprinting_replaces_the_code(database, province):
    code = province.points[("C1", "sipas-desk")]
    with database.writing() as session:
        point = find_by_code(session, code)
        new = reprint(session, point)
        assert new != code and current_code(point) == new
        assert find_by_code(session, code) is None
        assert find_by_code(session, new) is point


def test_a_revoked_point_stays_revoked(database, province):
    with database.writing() as session:
        point = find_by_code(session, province.points[("C1", "sipas-desk")])
        change_state(session, point, PointState.PAUSED)
        change_state(session, point, PointState.ACTIVE)
        change_state(session, point, PointState.REVOKED)
        with pytest.raises(RevokedPointError):
            change_state(session, point, PointState.ACTIVE)


@pytest.mark.parametrize(
    ("state", "opens", "closes", "moment", "open_then"),
    [
        (PointState.ACTIVE, None, None, NOW, True),
        (PointState.ACTIVE, NOW, None, NOW - HOUR, False),
        (PointState.ACTIVE, NOW, None, NOW, True),
        (PointState.ACTIVE, None, NOW, NOW, False),
        (PointState.PAUSED, None, None, NOW, False),
        (PointState.PAUSED, None, None, NOW - HOUR, True),
        (PointState.REVOKED, None, None, NOW + HOUR, False),
    ],
)
def test_whether_it_was_open_at_a_moment(state, opens, closes, moment, open_then):
    point = Point(1, 1, "sipas-desk", "qr", state, NOW, opens, closes)
    assert point.takes_answers_of(moment) is open_then
