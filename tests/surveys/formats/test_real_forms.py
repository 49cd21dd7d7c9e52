"""Real forms of others, which stand beside the project where they are at hand."""

from collections import Counter
from pathlib import Path

import pytest

from app.messages import LANGUAGES, say
from surveys import check_file
from surveys.formats import FormUnreadable, as_yaml, read_form

FOLDER = Path(__file__).parents[4] / "shared" / "forms"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="../shared/forms is not there")

#: What no form can be made of, and why.
REFUSED = {
    "oral.xml": "formats.xform", "lib_village2.xml": "formats.xform",
    "kobo_literacy_test.json": "formats.no_question",
    "r4_bb_response.json": "formats.not_questionnaire",
    "r5_3141_response.json": "formats.not_questionnaire",
    "r5_3141_questionnaire.json": "formats.no_question",
    "correlaid_testB.tsv": "formats.limesurvey_tab", "de17.txt": "formats.limesurvey_tab",
    "correlaid_mitwirken.tsv": "formats.limesurvey_tab",
    "r0bis_vv.csv": "formats.no_survey",
}  # fmt: skip
#: Larger than a form of ours may be: drafts for somebody to cut.
BEYOND = {"oral.xlsx", "rse_core.lss"}
#: Those in whose words a scale is found; the others are drafts that want one.
SOUND = {
    "correlaid_alltypes.xlsx", "correlaid_mitwirken.xlsx", "ipa_likert.xlsx",
    "uz_patient_satisfaction.json", "surveyjs_extension_feedback.json",
}  # fmt: skip
FILES = sorted(
    file
    for folder in ("xlsform", "limesurvey", "fhir", "surveyjs")
    for file in (FOLDER / folder).glob("*")
    if file.name != "INDEX.md"
)


def read(name):
    file = next(each for each in FILES if each.name == name)
    return read_form(file.read_bytes(), file.name)


def reasons(draft):
    return Counter(each.reason.removeprefix("formats.") for each in draft.not_carried)


def items(draft):
    found = [i for factor in draft.document["factors"] for i in factor["items"]]
    return {i["code"]: i for i in (*found, *draft.document.get("more", ()))}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_each_is_drafted_or_refused_and_each_reason_is_a_sentence(file, tmp_path):
    try:
        draft = read_form(file.read_bytes(), file.name)
    except FormUnreadable as error:
        assert error.reason == REFUSED[file.name]
        for language in LANGUAGES:
            assert say(error.reason, language, **error.values)
        return
    assert file.name not in REFUSED
    for each in draft.not_carried:
        for language in LANGUAGES:
            assert say(each.reason, language, **each.values)
    assert (draft.form is not None) == (file.name in SOUND), reasons(draft)
    yaml = tmp_path / "form.yaml"
    yaml.write_text(as_yaml(draft.document), encoding="utf-8")
    assert (check_file(yaml) == []) == (draft.form is not None)
    if draft.form is None:
        assert reasons(draft)["beyond" if file.name in BEYOND else "no_scale"] == 1


def test_surveycto_codes_of_floats_and_negative_codes():
    draft = read("ipa_likert.xlsx")
    scale = draft.document["scales"]["likert2"]
    assert [level["value"] for level in scale["levels"]] == [1, 2, 3, 4, 5]
    assert scale["no_opinion"]["value"] == -999
    assert scale["satisfied"] == [4, 5]
    left = [e for e in draft.not_carried if e.reason == "formats.second_no_opinion"]
    assert {(e.place.part, e.values["code"]) for e in left} == {("choices", "-888")}


def test_one_code_twice_in_a_list():
    for name, code in (("pyx_choice_filter_test.xlsx", "king"), ("lib_village2.xlsx", "4")):
        draft = read(name)
        twice = [e for e in draft.not_carried if e.reason == "formats.code_twice"]
        assert code in {e.values["code"] for e in twice}
        assert all(e.place.part == "choices" and e.place.row for e in twice)
        assert reasons(draft)["choice_filter"]


def test_grids_are_questions_and_their_headings_are_said():
    draft = read("correlaid_testB.xlsx")
    headings = [e for e in draft.not_carried if e.reason == "formats.grid_heading"]
    assert len(headings) == 3 and all(e.place.row for e in headings)
    assert items(draft)["python"]["kind"] in ("single_choice", "multiple_choice")


def test_a_scale_with_the_best_first_is_turned():
    scale = read("uz_patient_satisfaction.json").form.scales["doctor-competence-satisfaction"]
    assert scale.levels[-1].text.en == "Fully satisfied"
    assert scale.levels[0].text.en == "Not satisfied at all"


def test_old_conditions_and_ids_of_limesurvey_are_conditions_on_codes():
    draft = read("rse_core.lss")
    shown = [item for item in items(draft).values() if "shown_if" in item]
    assert len(shown) == 10
    lost = [e for e in draft.not_carried if e.reason == "formats.condition"]
    assert {e.values["code"] for e in lost} == {"currentEmp4", "ukrs3"}
    assert any("currentEmp13" in map(str, e.values.values()) for e in draft.not_carried)


def test_a_misspelt_property_is_named():
    draft = read("surveyjs_extension_feedback.json")
    names = [e.values["names"] for e in draft.not_carried if e.reason == "formats.attributes"]
    assert names == ["isRequried"]
    assert items(draft)["Satisfaction_low_score_reason"]["shown_if"]["is"] == [1, 2, 3]


def test_five_million_empty_cells_take_no_memory():
    resource = pytest.importorskip("resource")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    draft = read("pyx_extra_columns_bug.xls")
    assert len(items(draft)) == 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024
