"""What a question of another program becomes, and by which row it is said what it does not."""

import io
import json
import zipfile

import pytest
import xlsxwriter
from openpyxl import Workbook

from surveys.formats import FormUnreadable, read_form
from surveys.formats.cells import MOST_BYTES
from surveys.formats.expressions import clauses
from surveys.formats.outline import Clause


def workbook(survey, choices=(), settings=()):
    book = Workbook()
    book.remove(book.active)
    for title, rows in (("survey", survey), ("choices", choices), ("settings", settings)):
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


HEAD = ["type", "name", "label::English (en)", "label::Tiếng Việt (vi)", "relevance"]
LEVELS = [
    ["list name", "value", "label::English (en)", "label::Tiếng Việt (vi)"],
    ["sat", 3.0, "Very satisfied", "Rất hài lòng"],
    ["sat", 2.0, "Neither", "Bình thường"],
    ["sat", 1.0, "Not satisfied", "Không hài lòng"],
    ["sat", -999, "Don't know", "Không biết"],
]
SURVEY = [
    HEAD,
    ["begin group", "A", "Access", "Tiếp cận"],
    ["select_one sat", "A1", "The room", "Phòng chờ"],
    ["select_one sat", "A2", "The staff", "", "${A1} <= 2"],
    ["end_group"],
    ["text", "why", "Why?", "Vì sao?", "selected(${A1}, '1') or ${A1}='2'"],
    ["geopoint", "where", "Where", "Ở đâu"],
]


def said(draft):
    return {(e.reason.removeprefix("formats."), e.place.row, e.place.column)
            for e in draft.not_carried}  # fmt: skip


def test_surveycto_s_columns_codes_of_floats_and_the_best_level_first():
    draft = read_form(workbook(SURVEY, LEVELS, [["form_id"], ["My Form"]]), "x.xlsx")
    form = draft.form
    assert form.code == "my-form"
    assert [level.text.en for level in form.scales["sat"].levels] == [
        "Not satisfied", "Neither", "Very satisfied",
    ]  # fmt: skip
    assert form.scales["sat"].satisfied == (3,)
    assert form.scales["sat"].no_opinion.text.vi == "Không biết"
    shown = {item.code: item.shown_if for item in form.items}
    # 3 in the file is the best level, and 1 the worst: so it is with us.
    assert (shown["A2"].item, shown["A2"].is_) == ("A1", (1, 2))
    assert shown["why"].is_ == (1, 2)
    assert form.more[0].code == "why"
    found = said(draft)
    assert ("no_wording", 4, "") in found
    assert ("type", 7, "A") in found
    assert ("taken_for_no_opinion", 5, "") in found
    assert "scale_assumed" in {reason for reason, _, _ in found}


def test_a_code_twice_and_a_condition_beyond_ours_are_named_by_row():
    survey = [*SURVEY, ["text", "late", "Late", "Muộn", "${A1} != '1'"]]
    draft = read_form(workbook(survey, [*LEVELS, ["sat", 2, "Again", "Lại"]]), "x.xlsx")
    assert {("code_twice", 6, ""), ("condition", 8, "E")} <= said(draft)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("${a} = '1'", (Clause("a", ("1",)),)),
        ("selected(${a},'x') or (${a} = 'y')", (Clause("a", ("x", "y")),)),
        ("{a} anyof [1, 2]", (Clause("a", ("1", "2")),)),
        ('((q1.NAOK == "Y"))', (Clause("q1", ("Y",)),)),
        ("3 >= {a}", (Clause("a", tests=(("<=", 3.0),)),)),
        ("${a}='1' and ${b}='2'", (Clause("a", ("1",)), Clause("b", ("2",)))),
        ("${a}='1' or ${b}='2'", None),
        ("not(${a}='1')", None),
        ("${a} != '1'", None),
        ("count-selected(${a}) > 1", None),
        ("(" * 500 + "${a}='1'" + ")" * 500, None),
        ("'", None),
    ],
)
def test_conditions(written, read):
    assert clauses(written) == read


def with_part(content, name, data):
    stream = io.BytesIO(content)
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr(name, data)
    return stream.getvalue()


def formula():
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
        sheet = book.add_worksheet("survey")
        sheet.write_row(0, 0, ["type", "name", "label"])
        sheet.write_row(1, 0, ["text", "a"])
        sheet.write_formula(1, 2, "=A1", None, "")
    content = io.BytesIO(stream.getvalue())
    changed = io.BytesIO()
    with zipfile.ZipFile(content) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "xl/worksheets/sheet1.xml":
                data = data.replace(b' t="str"', b"").replace(b"<v></v>", b"")
            new.writestr(name, data)
    return changed.getvalue()


ENTITIES = (
    b'<!DOCTYPE d [<!ENTITY a "b">]><document><LimeSurveyDocType>&a;</LimeSurveyDocType></document>'
)
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@pytest.mark.parametrize(
    ("content", "reason", "place"),
    [
        (b"", "empty", (None, "")),
        (b"PK\3\4 not a zip", "not_workbook", (None, "")),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "encrypted", (None, "")),
        (OLE + "_VBA_PROJECT_CUR".encode("utf-16-le"), "macros", (None, "")),
        (OLE + bytes(600), "not_workbook", (None, "")),
        (with_part(workbook(SURVEY), "xl/vbaProject.bin", b"x"), "macros", (None, "")),
        (formula(), "uncomputed", (2, "C")),
        (workbook([["name"], ["a"]]), "no_type_column", (1, "")),
        (workbook([HEAD, ["text", "a", "#REF!"]]), "error_cell", (2, "C")),
        (workbook([HEAD, ["note", "a", "A"]]), "no_question", (None, "")),
        (b"x" * (MOST_BYTES + 1), "too_large", (None, "")),
        (b'{"pages": [\n{,', "not_json", (2, "2")),
        (b'{"resourceType": "Patient"}', "not_questionnaire", (None, "")),
        (b'{"a": 1}', "not_surveyjs", (None, "")),
        (b"[" * 100_000, "not_json", (None, "")),
        (b"<document>\n<a></document>", "not_xml", (2, "6")),
        (b"<document/>", "not_lss", (None, "")),
        (ENTITIES, "entities", (None, "")),
        ("survey,type\n,té".encode("latin-1"), "not_text", (2, "")),
        (b"a,b\n1,2\n", "no_survey", (None, "")),
    ],
    # A workbook holds when it was written: no name for a test.
    ids=lambda each: each if isinstance(each, str) else type(each).__name__,
)  # fmt: skip
def test_what_cannot_be_read_is_said_with_its_place(content, reason, place):
    with pytest.raises(FormUnreadable) as refused:
        read_form(content, "x")
    assert refused.value.reason == f"formats.{reason}"
    assert (refused.value.place.row, refused.value.place.column) == place


def test_a_workbook_that_unpacks_to_much_is_refused_before_it_is_read():
    bomb = with_part(workbook(SURVEY), "xl/media/image1.png", b"")
    stream = io.BytesIO(bomb)
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/image2.png", bytes(97 * 2**20))
    assert len(stream.getvalue()) < MOST_BYTES
    with pytest.raises(FormUnreadable, match="too_large"):
        read_form(stream.getvalue(), "x.xlsx")


def test_a_mark_of_another_kind_is_passed_over_and_said():
    form = {"pages": [{"elements": [
        {"type": "rating", "name": "q", "title": "Q", "hailong": '{"kind": 3}'}
    ]}]}  # fmt: skip
    draft = read_form(json.dumps(form).encode(), "x.json")
    assert draft.form is not None
    assert "formats.mark" in {each.reason for each in draft.not_carried}


def fields_of(document, name):
    """All that stands in a document under a name, however deep."""
    if isinstance(document, list):
        return [found for each in document for found in fields_of(each, name)]
    if not isinstance(document, dict):
        return []
    inside = [found for each in document.values() for found in fields_of(each, name)]
    return [document[name], *inside] if name in document else inside


@pytest.mark.parametrize(
    "code", ["²", "٣", "--5", "9" * 5000, 10**400], ids=["two", "three", "minus", "long", "large"]
)
def test_signs_and_sizes_that_are_no_number_are_read_as_words(code):
    choices = [{"value": 1, "text": "Tốt"}, {"value": 2, "text": "Kém"}]
    choices.append({"value": code, "text": "Không biết"})
    element = {"type": "radiogroup", "name": "q", "title": "Q", "choices": choices}
    draft = read_form(json.dumps({"pages": [{"elements": [element]}]}).encode(), "x.json")
    (kept,) = fields_of(draft.document, "no_opinion")
    assert kept["text"]["vi"] == "Không biết" and "value" not in kept


@pytest.mark.parametrize(
    "number", [10**400, float("inf"), float("nan")], ids=["large", "inf", "nan"]
)
def test_a_condition_on_a_number_beyond_reason_is_not_carried(number):
    when = {"question": "a", "operator": ">", "answerInteger": number}
    items = [{"linkId": "a", "type": "integer", "text": "A"},
             {"linkId": "b", "type": "text", "text": "B", "enableWhen": [when]}]  # fmt: skip
    form = {"resourceType": "Questionnaire", "item": items}
    draft = read_form(json.dumps(form).encode(), "x.json")
    assert fields_of(draft.document, "code") and not fields_of(draft.document, "shown_if")
    assert "b" in {each.values.get("code") for each in draft.not_carried}
