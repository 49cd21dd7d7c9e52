"""The forms that come with the software: the structure that the decisions fix."""

import json
from collections import Counter

import pytest

from surveys import load_directory
from surveys.loader import FORMS
from surveys.model import RatedItem

FORMS_BY_CODE = {code: form for (code, _), form in load_directory().items()}


@pytest.mark.parametrize(
    ("code", "items_by_factor"),
    [
        # SIPAS: Ministry of Home Affairs, QĐ 2640/QĐ-BNV of 2017 (22 criteria)
        ("sipas-desk", {"A": 4, "B": 5, "C": 6, "D": 3, "E": 4}),
        # Ministry of Health, QĐ 3869/QĐ-BYT of 2019, forms 2 and 1 (31 items each)
        ("moh-outpatient", {"A": 5, "B": 10, "C": 8, "D": 4, "E": 4}),
        ("moh-inpatient", {"A": 5, "B": 5, "C": 9, "D": 7, "E": 5}),
    ],
)
def test_sections_codes_and_counts_are_the_decisions(code, items_by_factor):
    form = FORMS_BY_CODE[code]
    rated = {f.code: [i for i in f.items if isinstance(i, RatedItem)] for f in form.factors}
    assert {factor: len(items) for factor, items in rated.items()} == items_by_factor
    for factor, items in rated.items():
        assert [i.code for i in items] == [f"{factor}{n}" for n in range(1, len(items) + 1)]
    assert set(form.scoring.index) == set(items_by_factor)


def test_hospital_forms_ask_expectation_and_return_and_let_zero_mean_no_opinion():
    for code in ("moh-outpatient", "moh-inpatient"):
        form = FORMS_BY_CODE[code]
        items = {item.code: item for item in form.items}
        assert items["G1"].kind == "percent" and items["G1"].maximum > 100
        assert items["G2"].kind == "single_choice"
        assert form.scales["satisfaction"].no_opinion.value == 0


def test_levels_four_and_five_count_as_satisfied():
    for form in FORMS_BY_CODE.values():
        for scale in form.scales.values():
            assert [level.value for level in scale.levels] == [1, 2, 3, 4, 5]
            assert scale.satisfied == (4, 5)


def test_there_is_a_form_for_the_online_service_and_one_of_faces_with_a_reason():
    assert "online-service" in FORMS_BY_CODE
    faces = FORMS_BY_CODE["kiosk-face"]
    required = [item.code for item in faces.items if item.required]
    assert required == ["S1"]
    assert Counter(item.kind for item in faces.items)["rated"] == 1
    reason = next(item for item in faces.items if item.code == "reason")
    assert not reason.required and reason.shown_if.item == "S1"


def test_published_versions_are_on_record_with_their_content():
    record = json.loads((FORMS / "published.json").read_text(encoding="utf-8"))
    current = {f"{f.code}/{f.version}": f.content_hash for f in FORMS_BY_CODE.values()}
    assert record.items() >= current.items()
    # What was published before stays on record, so that its number is never given again.
    assert set(record) == {
        f"{f.code}/{n}" for f in FORMS_BY_CODE.values() for n in range(1, f.version + 1)
    }
