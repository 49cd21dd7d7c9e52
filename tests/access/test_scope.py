"""Where a right holds: SQL says what walking the tree by hand says; and no query goes round it."""

import ast
import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from app.access import scope
from app.access.callers import STRANGER, Caller, Grant, owner
from app.access.models import Right, Sector
from app.registry.models import SurveyPoint, Unit, UnitKind
from app.registry.queries import UnknownUnit
from tests.small_province import UNITS

APP = Path(__file__).parents[2] / "app"
READ = frozenset({Right.READ_FIGURES})


def codes(database, *grants, right=Right.READ_FIGURES):
    with database.reading() as session:
        return set(scope.units(session, Caller("x", grants), right).by_code)


def test_a_unit_comes_with_all_below_it(database, province):
    at = province.units
    assert codes(database, Grant(READ, at["D1"])) == {"D1", "C1", "C2"}
    assert codes(database, Grant(READ, at["C1"]), Grant(READ, at["H1"])) == {"C1", "H1", "W1"}
    assert codes(database, Grant(READ)) == {code for code, _, _ in UNITS}
    assert codes(database, Grant(READ, None, Sector.HEALTH)) == {"H1", "W1"}
    assert codes(database, Grant(READ, at["D1"], Sector.HEALTH)) == set()
    assert codes(database, Grant(READ, at["77"]), right=Right.READ_COMMENTS) == set()
    assert codes(database) == set()


def test_strangers_have_nothing_and_the_owner_everything(database, province):
    with database.reading() as session:
        assert scope.units(session, STRANGER, Right.READ_FIGURES).nodes == {}
        assert len(scope.units(session, owner("me"), Right.READ_COMMENTS).nodes) == len(UNITS)
        with pytest.raises(UnknownUnit):
            scope.units(session, STRANGER, Right.READ_FIGURES).find("C1")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_sql_agrees_with_a_walk_by_hand(own_database, data):
    size = data.draw(st.integers(1, 12))
    parents = [data.draw(st.sampled_from([None, *range(n)]), label=f"{n}") for n in range(size)]
    kinds = [data.draw(st.sampled_from(list(UnitKind))) for _ in range(size)]
    with own_database.writing() as session:
        session.execute(delete(Unit))
        units = []
        for n, (parent, kind) in enumerate(zip(parents, kinds, strict=True)):
            unit = Unit(
                code=f"U{n}", kind=kind, name_vi="", name_en="", valid_from=date(2020, 1, 1),
                parent=None if parent is None else units[parent],
            )  # fmt: skip
            session.add(unit)
            units.append(unit)
        session.flush()
        ids = [unit.id for unit in units]
    drawn = data.draw(
        st.lists(
            st.tuples(st.sampled_from([None, *range(size)]), st.sampled_from([None, *Sector])),
            max_size=3,
        )
    )
    grants = tuple(
        Grant(READ, None if unit is None else ids[unit], sector) for unit, sector in drawn
    )

    def above(n):
        while n is not None:
            yield n
            n = parents[n]

    def held(n, unit, sector):
        line = list(above(n))
        if sector is None:
            return unit is None or unit in line
        # Some unit at or above this one is of the sector, and within the grant's unit.
        return any(
            kinds[each] in scope.KINDS[sector] and (unit is None or unit in above(each))
            for each in line
        )

    expected = {f"U{n}" for n in range(size) if any(held(n, *grant) for grant in drawn)}
    assert codes(own_database, *grants) == expected
    caller = Caller("x", grants)
    with own_database.reading() as session:
        for n, id in enumerate(ids):
            covered = scope.covers(session, caller, Right.READ_FIGURES, id)
            assert covered == (f"U{n}" in expected)


def test_a_condition_bounds_rows_of_other_tables(database, province):
    caller = Caller("x", (Grant(READ, province.units["D1"]),))
    with database.reading() as session:
        found = session.scalars(
            select(SurveyPoint.unit_id).where(
                scope.within(SurveyPoint.unit_id, caller, Right.READ_FIGURES)
            )
        ).all()
    assert set(found) == {province.units[code] for code in ("D1", "C1", "C2")}


# --- nothing goes round it ----------------------------------------------------------------

#: Tables whose rows belong to a unit, and what else reads units.
BOUND = {"Unit", "SurveyPoint", "Response", "ResponseText", "RollupCell"}
#: Functions that read them for the service itself, and hand nothing to a caller.
FOR_THE_SERVICE = {
    "access/devices.py": {"pair"},
    # Which of the caller's own grants have begun.
    "access/callers.py": {"_begun"},
    "demonstration/province.py": {"found", "points", "serve"},
    # Whoever stands at a closed desk is led to a form that anybody may open.
    "web/citizen/going_on.py": {"_form"},
    # Which days of a unit are told; how many answered does not leave it. And the cells of which is
    # decided what is hidden from all strangers alike.
    "figures/release.py": {"_batches", "released_cells"},
    # Its context is the caller's, or the public's.
    "figures/doubts.py": {"_found"},
    # Units are handed to them, and their callers are looked at.
    "figures/cell_reading.py": {"cells", "read"},
    "figures/summing.py": {"_read"},
    # The dry run of a plan, for whoever runs the whole service.
    "figures/plan_figures.py": {"_sums"},
    # What respondents of all units have in common; one rounded number of it leaves.
    "figures/within_correlation.py": {"everybody"},
}


def functions(file):
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, ast.unparse(node)


@pytest.mark.parametrize(
    "room", ["access", "figures", "reports", "api", "posters", "web", "demonstration"]
)
def test_no_query_about_units_goes_round_the_scope(room):
    looked_at = 0
    for file in (APP / room).rglob("*.py"):
        name = file.relative_to(APP).as_posix()
        if name in ("access/scope.py", "access/commands.py"):
            continue
        for function, source in functions(file):
            asked = {table for table in BOUND if f"select({table}" in source}
            asked |= {
                call
                for call in ("queries.read(", "cell_reading.cells(", "microdata.read(", "tree(")
                if re.search(rf"(?<![\w.]){re.escape(call)}", source)
            }
            if not asked:
                continue
            looked_at += 1
            if function in FOR_THE_SERVICE.get(name, ()):
                continue
            # Within these one function asks for the units and hands them to the others.
            bounded = (
                source if room not in ("figures", "reports") else file.read_text(encoding="utf-8")
            )
            # (What the caller sees is read by figures/visible.py; what was asked of the statistics
            # carries it: figures/context.py; of a view, its context: reports/views/context.py.)
            bounds = (
                "scope.",
                "visible.units(",
                "visible.within(",
                "context.units",
                "figures.units",
                "context.within",
                "self.within",
            )
            assert any(by in bounded for by in bounds), (
                f"{name}: {function} reads {asked}, bounded by no scope"
            )
    assert looked_at or room in ("web", "api")


def test_the_tree_is_read_by_the_scope_alone():
    pattern = re.compile(r"from app\.registry\.queries import ([^\n]+|\([^)]*\))")
    importers = {
        file.relative_to(APP).as_posix()
        for file in APP.rglob("*.py")
        for names in pattern.findall(file.read_text(encoding="utf-8"))
        if "tree" in re.split(r"[\s,()]+", names)
    }
    assert importers == {"access/scope.py"}
