"""What goes out comes back equal, and those who read it elsewhere take it."""

import io
import json

import pytest
from fhir.resources import questionnaire as r5_models
from fhir.resources.R4B import questionnaire as r4b_models
from hypothesis import HealthCheck, Phase, given, settings
from pyxform.xls2xform import convert

from surveys import load_directory, load_file
from surveys.formats import Format, as_yaml, read_form, write_form
from tests.surveys.formats.questionnaires import questionnaires

OURS = load_directory()
DRAWN = settings(
    max_examples=12, deadline=None, database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much,
                           HealthCheck.data_too_large],
)  # fmt: skip


@pytest.mark.parametrize("written_as", Format)
@DRAWN
@given(form=questionnaires())
def test_a_form_comes_back_equal(written_as, form):
    draft = read_form(write_form(form, written_as).content, "form")
    assert draft.form == form
    assert draft.form.content_hash == form.content_hash
    assert draft.not_carried == ()


@pytest.mark.parametrize("form", OURS.values(), ids=lambda form: form.code)
@pytest.mark.parametrize("written_as", Format)
def test_our_forms_come_back_equal_and_say_what_others_will_not_count(written_as, form):
    written = write_form(form, written_as)
    assert read_form(written.content, "form").form == form
    assert "formats.score_in_mark" in {each.reason for each in written.not_carried}


@DRAWN
@given(form=questionnaires())
def test_pyxform_takes_what_we_write(form):
    written = write_form(form, Format.XLSFORM).content
    found = convert(io.BytesIO(written))
    for item in form.items:
        assert f"/{item.code}" in found.xform


@DRAWN
@given(form=questionnaires())
def test_the_models_of_fhir_take_what_we_write(form):
    """R4 is checked by the models of R4B, which has the same Questionnaire."""
    r4 = json.loads(write_form(form, Format.FHIR_R4).content)
    r5 = json.loads(write_form(form, Format.FHIR_R5).content)
    for models, document in ((r4b_models, r4), (r5_models, r5)):
        assert [each.linkId for each in models.Questionnaire.model_validate(document).item]
    # The models take any word for a type, and any link: both are checked here.
    for document, word in ((r4, "choice"), (r5, "coding")):
        items = [i for each in document["item"] for i in (each, *each.get("item", ()))]
        links = [each["linkId"] for each in items]
        assert len(links) == len(set(links))
        kinds = {"group", word, "integer", "decimal", "string", "text"}
        assert {each["type"] for each in items} <= kinds
        for each in items:
            for when in each.get("enableWhen", ()):
                assert links.index(when["question"]) < links.index(each["linkId"])
            for option in each.get("answerOption", ()):
                assert option["valueCoding"]["system"]


@pytest.mark.parametrize("form", OURS.values(), ids=lambda form: form.code)
def test_the_yaml_of_a_draft_is_the_form(tmp_path, form):
    draft = read_form(write_form(form, Format.SURVEYJS).content, "form.json")
    file = tmp_path / "form.yaml"
    file.write_text(as_yaml(draft.document), encoding="utf-8")
    assert load_file(file) == form


def test_without_our_marks_a_form_is_still_one():
    """Kobo drops columns that it does not know: what is left is taken for what it looks like."""
    form = OURS["sipas-desk", 2]
    document = json.loads(write_form(form, Format.FHIR_R5).content)
    del document["extension"]
    for item in [i for each in document["item"] for i in (each, *each.get("item", ()))]:
        item.pop("extension", None)
    draft = read_form(json.dumps(document).encode(), "form.json", "mine")
    assert draft.form is not None
    assert draft.form.code == "mine"
    assert [i.code for i in draft.form.items] == [i.code for i in form.items]
    before, after = list(form.items), list(draft.form.items)
    assert [i.kind for i in after if i.kind == "rated"] == [
        i.kind for i in before if i.kind == "rated"
    ]
    assert {s.satisfied for s in draft.form.scales.values()} == {(4, 5)}
    reasons = {each.reason for each in draft.not_carried}
    assert {"formats.scale_assumed", "formats.index_assumed"} <= reasons
