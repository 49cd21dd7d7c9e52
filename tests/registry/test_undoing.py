"""Undoing a plan is refused where something rests on it."""

import pytest

from app.registry.models import (
    Unit,
)
from app.registry.reorganisation.undoing import CannotUndo, UnknownReorganisation
from tests.registry.plans import (
    LATER,
    MERGER,
    apply,
    plan,
    undone,
)


def test_undo_is_refused_where_a_later_plan_rests_on_it(province, tmp_path):
    first = apply(province, plan(tmp_path, *MERGER), "Một")
    second = apply(province, plan(tmp_path, "rename|N1|name_vi=A", day="2026-01-01"), "Hai")
    with pytest.raises(CannotUndo) as refused:
        undone(province, first.id)
    assert "“Hai” (no. 2) rests on it" in refused.value.detail("en")
    assert "“Hai” (số 2)" in refused.value.detail("vi")
    counter = undone(province, second.id)
    undone(province, first.id)
    for number in (first.id, counter.id):
        with pytest.raises(CannotUndo):
            undone(province, number)
    with pytest.raises(UnknownReorganisation):
        undone(province, 99)


def test_undo_is_refused_where_a_code_was_given_away_or_somebody_moved_in(province, tmp_path):
    first = apply(province, plan(tmp_path, *MERGER))
    with province.database.writing() as session:
        session.add(
            Unit(code="C1", kind="commune", name_vi="Khác", name_en="Other", valid_from=LATER)
        )
    with pytest.raises(CannotUndo) as refused:
        undone(province, first.id)
    assert "Khác (C1) has the code" in refused.value.detail("en")


def test_undo_makes_no_ring(province, tmp_path):
    first = apply(province, plan(tmp_path, "move|D1|parent=A1"))
    undone(province, first.id)
    first = apply(province, plan(tmp_path, "move|C1|parent=77"))
    apply(province, plan(tmp_path, "move|D1|parent=C2", "move|C2|parent=C1"))
    with pytest.raises(CannotUndo) as refused:
        undone(province, first.id)
    assert "below itself" in refused.value.detail("en")


def test_undo_is_refused_where_a_later_plan_moved_a_point_to_what_it_founded(province, tmp_path):
    printed = province.points["A1", "sipas-desk"]
    first = apply(province, plan(tmp_path, *MERGER), "Một")
    apply(province, plan(tmp_path, f"point|{printed}|to=N1", day="2026-01-01"), "Hai")
    with pytest.raises(CannotUndo) as refused:
        undone(province, first.id)
    assert "“Hai” (no. 2) rests on it" in refused.value.detail("en")
