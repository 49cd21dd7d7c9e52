"""A stored month examined: the stuffed unit is found, and nobody else; nothing is changed by it."""

from datetime import date

import numpy as np
import pytest
from sqlalchemy import inspect, text

from analysis.kinds import KINDS
from app.integrity import examination, habits, passes, reading
from app.integrity.examination import examine
from app.integrity.passes import latest_months, run
from app.integrity.reading import Source
from app.integrity.rules import Rule, set_rule
from app.registry.models import Channel
from app.registry.questionnaires import published
from app.settings import Settings
from tests.integrity.stored import MONTH, ZONE, desk_form, desks, honest, presses, store

UNITS, EACH = 25, 15
BEFORE = date(2026, 8, 1)


@pytest.fixture
def stuffed(database):
    """A month of 25 units, of which the last stuffed forty: its id, and theirs."""
    version, units = desk_form(database), desks(database, UNITS)
    store(database, honest(version, units, each=EACH))
    return units[-1], store(database, presses(version, units[-1]))


def examined(database, rule=None, month=MONTH, **changes):
    heard = []
    with database.reading() as session:
        parts = list(
            examine(session, ZONE, published(session), month, rule or Rule(),
                    tell=heard.append, **changes)
        )  # fmt: skip
    assert sum(heard) == sum(part.responses for part in parts)
    return parts


def found_in(parts):
    return [each for part in parts for each in part.found]


def tables(database):
    """All rows of all tables."""
    with database.reading() as session:
        connection = session.connection()
        return {
            name: sorted(map(repr, connection.execute(text(f'SELECT * FROM "{name}"'))))
            for name in inspect(connection).get_table_names()
        }


def put_in_force(database, rule=None):
    with database.writing("test") as session:
        return set_rule(session, "stuffing", rule or Rule(), active=True, by="test")


def test_the_stuffed_unit_is_found_and_nobody_else(database, stuffed):
    unit, pressed = stuffed
    (part,) = examined(database)
    (found,) = part.found
    assert part.responses == UNITS * EACH + 40 and len(part.counted.sources) == UNITS
    assert found.source == Source(unit, Channel.KIOSK.value, 1000 + unit)
    assert found.probability > 0.99 and found.responses == EACH + 40
    assert found.suspected == pytest.approx(40, abs=3)
    ids = {id for id, _, _ in found.ids}
    assert len(ids & set(pressed)) >= 38 and len(ids - set(pressed)) <= 1
    assert all(0.5 <= p <= 1 for _, _, p in found.ids)
    first = found.reasons[0]
    assert first.why == "rushed" and first.of == EACH + 40
    assert first.n >= 25 and first.suspected > 0.9 * first.n and first.usual < 0.05
    assert sum(reason.n for reason in found.reasons) == len(found.ids)
    # What is likely honest is what the unit's month was like: its fifteen.
    row = part.counted.sources.index(found.source)
    assert part.honest[row].sum() == pytest.approx(EACH, abs=3)
    np.testing.assert_allclose(part.counted.counts.sum(axis=1).sum(), part.responses)


def test_a_month_without_presses_suspects_nobody(database):
    store(database, honest(desk_form(database), desks(database, UNITS)))
    assert found_in(examined(database)) == []
    assert examined(database, month=BEFORE) == []


def test_a_unit_alone_is_found_by_the_months_before(database, stuffed):
    unit, _ = stuffed
    (part,) = examined(database, units=[unit])
    assert {source.unit_id for source in part.counted.sources} == {unit}
    store(database, honest(desk_form(database), range(unit - UNITS + 1, unit + 1), BEFORE))
    put_in_force(database)
    run(database, Settings(), [BEFORE])
    (found,) = found_in(examined(database, units=[unit]))
    assert found.source.unit_id == unit and found.probability > 0.99


def test_the_first_kiosk_of_all_is_not_held_against_itself_alone(database):
    version, units = desk_form(database), desks(database, UNITS)
    by_phone = {"channel": Channel.QR.value, "credential_id": None}
    store(database, [e._replace(row=e.row._replace(**by_phone)) for e in honest(version, units)])
    pressed = store(database, presses(version, units[-1]))
    (found,) = found_in(examined(database))
    assert found.source.channel == Channel.KIOSK.value and found.probability > 0.95
    assert {id for id, _, _ in found.ids} == set(pressed)


def test_slices_find_the_same(database, stuffed, monkeypatch):
    (whole,) = examined(database)
    monkeypatch.setattr(reading, "AT_ONCE", 100)
    parts = examined(database)
    # Marks that are not kept are made anew.
    monkeypatch.setattr(examination, "_KEPT", 250)
    assert [part.found for part in examined(database)] == [part.found for part in parts]
    assert len(parts) == 5 and sum(part.responses for part in parts) == whole.responses
    (one,), (other,) = whole.found, found_in(parts)
    # What is usual is learnt from what was read with it: fewer units, much the same.
    assert one.key == other.key and one.responses == other.responses
    assert other.probability == pytest.approx(one.probability, abs=0.01)
    assert len({id for id, _, _ in one.ids} ^ {id for id, _, _ in other.ids}) <= 3


def test_habits_are_kept_and_held_against_the_source(database, stuffed, monkeypatch):
    unit, _ = stuffed
    version = desk_form(database)
    put_in_force(database)
    run(database, Settings(), [MONTH])
    with database.reading() as session:
        counts, group = habits.of_months(session, [version], MONTH, date(2026, 10, 1))
        assert habits.of_months(session, [version], BEFORE, MONTH)[0].shape == (0, len(KINDS))
        sources = [Source(unit, "kiosk", 1000 + unit), Source(unit, "qr", None)]
        own = habits.earlier(session, [version], sources, MONTH, date(2026, 10, 1))
        monkeypatch.setattr(habits, "_LISTED", 0)
        unlisted = habits.earlier(session, [version], sources, MONTH, date(2026, 10, 1))
    assert counts.shape == (UNITS, len(KINDS)) and group.shape == (UNITS,)
    # Without what is likely stuffed; of a source that is new there is nothing.
    assert own.shape == (2, len(KINDS)) and not own[1].any()
    assert own[0].sum() == pytest.approx(EACH, abs=3)
    np.testing.assert_array_equal(own, unlisted)
    (part,) = examined(database)
    np.testing.assert_allclose(
        own[0], part.honest[part.counted.sources.index(sources[0])], rtol=1e-3
    )
    # The same again is no second month.
    run(database, Settings(), [MONTH])
    with database.reading() as session:
        again, _ = habits.of_months(session, [version], MONTH, date(2026, 10, 1))
    np.testing.assert_allclose(np.sort(again, axis=0), np.sort(counts, axis=0))
    # A unit that had as many such months is held against itself, and is less improbable.
    before = found_in(examined(database))[0].probability
    sent = np.zeros((1, len(KINDS)))
    sent[0, KINDS.index("rushed")] = 500
    with database.writing() as session:
        habits.keep(session, version, BEFORE, sources[:1], np.zeros(1, dtype=np.intp), sent)
    later = found_in(examined(database))
    assert not later or later[0].probability < before


def test_trying_a_rule_changes_nothing(database, stuffed, hailong, tmp_path, monkeypatch):
    unit, _ = stuffed
    monkeypatch.setattr("app.integrity.commands.local_today", lambda zone: date(2026, 9, 30))
    before = tables(database)
    said = hailong("integrity", "try", "stuffing", "--months", 2)
    assert "X24 2026-09 kiosk: " in said and "set aside (rushed" in said
    assert "1 batches would be flagged; nothing was changed" in said
    file = tmp_path / "rules.toml"
    file.write_text('[stuffing]\nquarantine = "never"\n')
    assert "flagged (rushed" in hailong("integrity", "try", "stuffing", "--file", file)
    file.write_text("")
    assert "has no rule stuffing" in hailong("integrity", "try", "stuffing", "--file", file, code=1)
    assert tables(database) == before
    assert unit


def test_a_pass_writes_what_it_finds_and_says_so(database, stuffed, hailong, monkeypatch):
    monkeypatch.setattr("app.integrity.commands.local_today", lambda zone: date(2026, 9, 30))
    put_in_force(database)
    said = hailong("integrity", "examine", "--months", 2)
    assert "by stuffing (1): 1 batches flagged, 1 set aside with " in said
    listed = hailong("integrity", "batches")
    assert "X24 2026-09 kiosk: quarantined" in listed and "1 batches" in listed
    assert "0 batches flagged, 0 set aside with 0 responses, 0 withdrawn" in hailong(
        "integrity", "examine", "--fresh", "--months", 1
    )


def test_the_latest_months_are_those_of_the_calendar():
    months = latest_months(date(2026, 2, 15), 4)
    assert months == [date(2025, 11, 1), date(2025, 12, 1), date(2026, 1, 1), date(2026, 2, 1)]
    assert passes.latest_months(date(2026, 12, 31), 1) == [date(2026, 12, 1)]
