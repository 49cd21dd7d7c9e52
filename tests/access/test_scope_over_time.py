"""Whose rights are on what, across a day on which the tree changes."""

from datetime import UTC, date, datetime, timedelta

import pytest

from app.access import accounts, credentials, scope
from app.access.callers import Caller, Callers, Grant
from app.access.models import Right, Sector
from app.access.roles import Role
from app.figures import visible
from app.registry.models import Succession, Unit
from app.settings import Settings

FIRST, DAY = date(2020, 1, 1), date(2025, 7, 1)
THEN, LAST, TODAY = date(2025, 6, 1), date(2025, 6, 30), date(2026, 1, 15)
ANALYST = frozenset({Right.READ_FIGURES, Right.READ_SMALL_CELLS})
#: What is before and after the day: code, name here, parent, whether it ended or began on it.
UNITS = (
    ("new province", "province", None, "began"), ("P1", "province", None, "ended"),
    ("P2", "province", None, "ended"), ("D1", "district", "P1", "ended"),
    ("A", "commune", "D1", "ended"), ("B", "commune", "D1", "ended"),
    ("AB", "commune", "new province", "began"), ("C", "commune", "D1", "ended"),
    ("C1", "commune", "new province", "began"), ("C2", "commune", "new province", "began"),
    # Goes on; on the day it came to stand below the new province.
    ("E", "commune", "new province", "goes on"),
    ("H", "hospital", "P1", "ended"), ("H'", "hospital", "new province", "began"),
)  # fmt: skip
BECAME = (
    ("P1", "new province"), ("P2", "new province"), ("A", "AB"), ("B", "AB"), ("C", "C1"),
    ("C", "C2"), ("H", "H'"),
)  # fmt: skip


@pytest.fixture
def at(database):
    """Ids of units by name, in a country that was changed on the day."""
    units = {}
    with database.writing() as session:
        for name, kind, parent, fate in UNITS:
            units[name] = Unit(
                code=name, kind=kind, name_vi=name, name_en=name, parent=units.get(parent),
                valid_from=DAY if fate == "began" else FIRST,
                valid_to=LAST if fate == "ended" else None,
            )  # fmt: skip
            session.add(units[name])
        session.flush()
        for before, after in BECAME:
            session.add(Succession(from_id=units[before].id, to_id=units[after].id, day=DAY))
        return {name: unit.id for name, unit in units.items()}


@pytest.fixture
def sees(database, at):
    """Of whom somebody may read figures, and small ones, and the rows of a day that are theirs."""
    names = {id: name for name, id in at.items()}

    def look(unit, day, sector=None):
        caller = Caller("x", (Grant(ANALYST, at.get(unit), sector),))
        with database.reading() as session:
            read = visible.readable(session, caller, TODAY)
            small = visible.small_units(session, caller)
            rows = visible.units(session, caller, day, TODAY).by_code
            return {names[id] for id in read}, {names[id] for id in small}, set(rows)

    return look


def test_the_head_of_a_merged_commune_reads_what_became_it_and_small_cells_of_hers_alone(sees):
    assert sees("AB", TODAY) == ({"AB", "A", "B"}, {"AB"}, {"AB"})
    # Before the day her commune is not dealt out to the two, and stands in a row of its own.
    assert sees("AB", THEN) == ({"AB", "A", "B"}, {"AB"}, {"A", "B"})


def test_the_head_of_a_predecessor_keeps_its_past(sees):
    assert sees("A", THEN) == ({"A"}, {"A"}, {"A"})
    assert sees("A", TODAY) == ({"A"}, {"A"}, set())


def test_the_head_of_a_part_reads_nothing_of_what_was_divided(sees):
    assert sees("C1", TODAY) == ({"C1"}, {"C1"}, {"C1"})
    assert sees("C1", THEN) == ({"C1"}, {"C1"}, set())


def test_the_analyst_of_an_old_province_keeps_what_ended_in_it_and_nothing_that_goes_on(sees):
    ended = {"P1", "D1", "A", "B", "C", "H"}
    assert sees("P1", THEN) == (ended, ended, {"P1", "D1", "A", "B"})
    # Of today's rows they have none: where nobody could answer there is no undivided row either.
    assert sees("P1", TODAY) == (ended, ended, set())


def test_who_has_the_new_province_has_all_of_both(sees, at):
    read, small, rows = sees("new province", TODAY)
    assert read == set(at)
    assert small == {"new province", "AB", "C1", "C2", "E", "H'"}
    assert rows == small


def test_a_sector_is_carried_back_like_a_unit(sees):
    assert sees(None, TODAY, Sector.HEALTH) == ({"H", "H'"}, {"H", "H'"}, {"H'"})


@pytest.mark.parametrize("ahead", [0, 1])
def test_a_right_on_a_unit_gives_nothing_before_its_first_day(database, province, ahead):
    """Neither to a person, nor to a person's key, nor to a system's."""
    now = datetime.now(UTC)
    settings = Settings(cache_s=0)
    first = now.astimezone(settings.zone).date() + timedelta(days=ahead)
    with database.writing() as session:
        parent = session.get_one(Unit, province.units["D1"])
        unit = Unit(
            code="N", kind="commune", name_vi="N", name_en="N", parent=parent, valid_from=first
        )
        session.add(unit)
        session.flush()
        province.units["N"] = unit.id
    somebody = province.person((Role.AUDITOR, "N"), (Role.AUDITOR, "C1"))
    with database.writing() as session:
        account = accounts.find(session, somebody.email)
        own_key = credentials.issue(session, "script", [Right.READ_FIGURES], account=account)
    header = province.credential(Right.READ_FIGURES, unit="N")["Authorization"]
    callers = Callers(database, settings, lambda: now)
    begun = set() if ahead else {province.units["N"]}
    with database.reading() as session:

        def read(caller):
            return scope.unit_ids(session, caller, Right.READ_FIGURES)

        assert read(callers.find(header.removeprefix("Bearer "))) == begun
        both = begun | {province.units["C1"]}
        assert read(callers.find(own_key)) == both
        assert read(callers.find_person(*somebody.cookies.values())) == both
