"""A form that is being written is changed by parts, and what it is not yet is named."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from surveys import Questionnaire, load_directory
from surveys.consistency import RULES, Breach
from surveys.differences import FIELDS, differences
from surveys.editing import (
    ITEM,
    ItemPlace,
    NoSuchPart,
    choices,
    faults,
    form_of,
    item_at,
    placed,
    with_factor,
    with_factor_moved,
    with_general,
    with_item,
    with_item_moved,
    with_scale,
    with_scoring,
    without_factor,
    without_item,
    without_scale,
)
from surveys.model import Sketch
from tests.surveys.formats.questionnaires import questionnaires

FORM = load_directory()[("sipas-desk", 2)]
DRAWN = settings(
    max_examples=12, deadline=None, database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much,
                           HealthCheck.data_too_large],
)  # fmt: skip


def sketch_of(form):
    return Sketch.model_validate(form.model_dump(mode="json", by_alias=True))


def rules(sketch):
    return {each.rule for each in faults(sketch)}


@DRAWN
@given(form=questionnaires(), data=st.data())
def test_changes_that_are_taken_back_leave_the_form(form, data):
    sketch = sketch_of(form)
    assert form_of(sketch) == form and form_of(sketch).content_hash == form.content_hash
    assert differences(form, sketch) == []
    place, item = data.draw(st.sampled_from(list(placed(sketch))))
    moved, there = with_item_moved(sketch, place, 1)
    if there != place:
        assert with_item_moved(moved, there, -1) == (sketch, place)
        assert {each.field for each in differences(sketch, moved)} == {"order"}
    renamed = with_item(sketch, place, item.model_copy(update={"code": "zz_new"}), place)
    # Conditions and scoring name it by its new code.
    assert rules(renamed) == set()
    assert with_item(renamed, place, item, place) == sketch
    codes = {(each.code, each.field) for each in differences(sketch, renamed)}
    assert {(item.code, "whole"), ("zz_new", "whole")} <= codes
    for name in sketch.scales:
        other = with_scale(sketch, "zz_scale", name, sketch.scales[name])
        assert rules(other) == set()
        assert with_scale(other, name, "zz_scale", sketch.scales[name]) == sketch
    number = data.draw(st.integers(0, len(sketch.factors) - 1))
    title = sketch.factors[number].title
    other = with_factor(sketch, number, "zz_factor", title)
    assert rules(other) == set()
    assert with_factor(other, number, sketch.factors[number].code, title) == sketch
    silent = with_general(sketch, {"languages": {}})
    assert rules(silent) == set() and set(silent.spoken) == {"vi", "en"}


def test_what_is_removed_is_named_where_it_is_missed():
    sketch = sketch_of(FORM)
    assert rules(without_scale(sketch, "satisfaction")) == {"no_scale", "scale_missing"}
    assert rules(without_factor(sketch, 0)) == {"not_a_factor"}
    first = ItemPlace.read("0.0")
    asked = item_at(sketch, first)
    shown = Questionnaire.model_validate(
        FORM.model_dump(mode="json", by_alias=True)
    ).factors[0].items[1].model_copy(update={"shown_if": None})  # fmt: skip
    assert [value for value, _ in choices(sketch, asked)] == [1, 2, 3, 4, 5]
    on_first = type(shown).model_validate(
        shown.model_dump() | {"shown_if": {"item": asked.code, "is": [1, 2]}}
    )
    conditional = with_item(sketch, ItemPlace.read("0.1"), on_first, ItemPlace.read("0"))
    assert rules(conditional) == set()
    assert rules(without_item(conditional, first)) == {"not_before"}
    # Brought behind what it is asked after, it is no item before.
    assert rules(with_item_moved(conditional, first, 1)[0]) == {"not_before"}
    away = with_item(conditional, first, asked, ItemPlace.read("more"))
    assert away.more[-1] == asked and rules(away) == {"not_before"}
    empty = with_factor(sketch, None, "F", FORM.title)
    assert rules(empty) == {"empty_factor"}
    assert with_factor_moved(empty, 5, -9)[1] == 0
    assert rules(with_scoring(sketch, [], [])) == {"no_index"}
    assert form_of(with_scoring(sketch, [], [])) is None
    nothing = Sketch.model_validate({"code": "x1", "version": 1, "title": FORM.title,
                                     "source": FORM.title})  # fmt: skip
    assert rules(nothing) == {"no_scale", "no_factor"}


@pytest.mark.parametrize("written", ["", "x", "0.x", "-1", "0.1.2", "²", "99999", "more."])
def test_places_that_are_none(written):
    if written == "more.":
        assert ItemPlace.read(written) == ItemPlace(None)
        return
    with pytest.raises(NoSuchPart):
        ItemPlace.read(written)
    with pytest.raises(NoSuchPart):
        item_at(sketch_of(FORM), ItemPlace(99, 0))


def test_a_difference_tells_what_turns_the_meaning_of_a_code():
    sketch = sketch_of(FORM)
    place = ItemPlace.read("0.0")
    item = item_at(sketch, place)
    text = item.text.model_copy(update={"vi": "Khác"})
    changed = with_item(sketch, place, item.model_copy(update={"text": text}), place)
    (found,) = differences(sketch, changed)
    assert (found.part, found.code, found.field, found.language) == ("item", "A1", "wording", "vi")
    assert found.after == "Khác" and found.turning
    gone = differences(sketch, without_item(sketch, place))
    assert [(each.field, each.after) for each in gone] == [("whole", "")]
    assert not gone[0].turning
    satisfied = sketch.scales["satisfaction"].model_copy(update={"satisfied": (5,)})
    (one,) = differences(sketch, with_scale(sketch, "satisfaction", "satisfaction", satisfied))
    assert (one.before, one.after, one.turning) == ("4, 5", "5", True)
    assert {each.field for each in [found, *gone, one]} <= set(FIELDS)


def test_a_difference_of_bounds_tells_all_digits():
    cost = ITEM.validate_python(
        {"code": "cost", "kind": "number", "minimum": 0.5, "maximum": 12_345_678,
         "text": {"vi": "Chi phí?", "en": "Cost?"}}
    )  # fmt: skip
    before = with_item(sketch_of(FORM), ItemPlace.read("more"), cost, ItemPlace.read("more"))
    place = ItemPlace.read(f"more.{len(before.more) - 1}")
    dearer = cost.model_copy(update={"maximum": 12_345_679})
    (found,) = differences(before, with_item(before, place, dearer, ItemPlace.read("more")))
    assert (found.before, found.after) == ("0.5 – 12345678", "0.5 – 12345679")


def test_every_rule_has_its_sentence():
    values = dict.fromkeys(("code", "scale", "asked", "values", "what"), "X")
    for rule in RULES:
        assert Breach((), rule, values).reason
