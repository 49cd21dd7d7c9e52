"""In which rows the forms of units are looked at for what is hasty or alike."""

import pytest

from app.figures import doubts
from app.figures.doubts import _counted
from app.figures.query import Expand, Key
from app.figures.visible import PUBLIC
from app.registry.models import Succession, Unit
from app.registry.points import find_by_code
from app.reports.views.context import Chosen, ViewContext
from tests.changed_tree import end
from tests.figures.test_forms_in_cells import EVERYTHING
from tests.retention.history import SETTINGS, TODAY, History, months_ago


@pytest.fixture
def looked_at(monkeypatch):
    """In which row forms of each unit were looked at, each time."""
    seen = []

    def counted(context, row_of, rows):
        seen.append(row_of)
        return _counted(context, row_of, rows)

    monkeypatch.setattr(doubts, "_counted", counted)
    return seen


def test_forms_are_looked_at_in_the_nearest_row_that_is_shown(database, province, looked_at):
    """C2 is hidden from strangers: its forms are among the district's, and in no row of its own."""
    history = History(database)
    with database.reading() as session:
        units = {
            code: find_by_code(session, province.points[(code, "sipas-desk")]).unit_id
            for code in ("A1", "D1", "C1", "C2")
        }
    for code, people in (("A1", 40), ("D1", 40), ("C1", 40), ("C2", 4)):
        history.came(months_ago(2), people, unit=units[code])

    with database.reading() as session:
        chosen = Chosen(questionnaire="sipas-desk", period=f"{months_ago(2):%Y-%m}")
        view = ViewContext.of(session, PUBLIC, SETTINGS, chosen)
        whole = view.over(units=("77",), expand=Expand.ALL, kinds=())
        assert doubts.find_doubtful(whole) == {}
        rows = whole.rates(Key.UNIT)[0].unit
    (row_of,) = looked_at
    found = {code: rows[row_of[id]].code for code, id in units.items()}
    assert found == {"A1": "A1", "D1": "D1", "C1": "C1", "C2": "D1"}


def test_forms_of_a_unit_that_was_divided_are_in_none_of_its_parts(database, province, looked_at):
    """Nobody knows in which of them they would be."""
    history, day = History(database), months_ago(1)
    with database.writing() as session:
        old = session.get_one(Unit, province.units["C1"])
        end(old, day)
        for code in ("C3", "C4"):
            part = Unit(code=code, kind="commune", name_vi=code, name_en=code,
                        parent_id=old.parent_id, valid_from=day)  # fmt: skip
            session.add(part)
            session.flush()
            session.add(Succession(from_id=old.id, to_id=part.id, day=day, share=0.5))
            province.units[code] = part.id
    came = (("C1", 3), ("C3", 1), ("C4", 1), ("C2", 1))
    for code, ago in came:
        history.came(months_ago(ago), 40, unit=province.units[code])

    with database.reading() as session:
        chosen = Chosen(questionnaire="sipas-desk", period=f"{months_ago(3)}..{TODAY}")
        whole = ViewContext.of(session, EVERYTHING, SETTINGS, chosen).compared
        assert doubts.find_doubtful(whole) == {}
        rows = whole.rates(Key.UNIT)[0]
    respondents = dict(zip([unit.code for unit in rows.unit], rows.sums["n"].tolist(), strict=True))
    assert {code: respondents[code] for code in ("C2", "C3", "C4")} == {
        "C2": 40,
        "C3": 60,
        "C4": 60,
    }
    assert {*looked_at[0]} & {province.units[code] for code, _ in came} == {
        province.units[code] for code in ("C2", "C3", "C4")
    }
