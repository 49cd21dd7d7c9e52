"""Whatever stands in a file or a resource is read or refused, and nothing else happens."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from app.importing.fhir import read_response
from app.importing.headers import Headed
from app.importing.mapping import Mapping
from app.importing.proposing import propose
from app.importing.reading import Reader
from app.problems import InvalidFields
from app.registry.questionnaires import Published
from app.settings import Settings
from app.tables import Row
from app.text_keys import TextKeys
from surveys import AnswerError
from tests.importing.exports import FACE, FORMS, INPATIENT, write

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
KEYS = TextKeys.of(Settings())
PUBLISHED = Published(1, FORMS[("moh-inpatient", 2)], datetime(2026, 1, 1, tzinfo=ZONE))

TITLES = ["when", "began", "took", "own", "where", "tongue", "done", "S1", "one", "two", "comment"]
MAPPING = Mapping.model_validate(
    {
        "source": "x", "questionnaire": "kiosk-face", "unfinished": "take", "missing": ["NA"],
        "columns": {
            "when": {"role": "answered_at"}, "began": {"role": "started_at"},
            "took": {"role": "duration"}, "own": {"role": "id"}, "where": {"role": "point"},
            "tongue": {"role": "language"}, "done": {"role": "finished"},
            "S1": {"item": "S1", "reversed": True, "words": {"hay": 5, "x": "no-answer"}},
            "one": {"item": "reason", "option": 1}, "two": {"item": "reason", "option": 2},
            "comment": {"item": "comment"},
        },
    }
)  # fmt: skip
WORDS = st.sampled_from(
    ["", "NA", "5", "5.0", "1 (Rất hài lòng)", "Rất hài lòng", "hay", "x", "có", "0", "24/10/2026",
     "3/4/2026", "2026-10-24T09:00:00+07:00", "2026-10-24 9:00:00 CH GMT+7", "0001-01-01",
     "9999-12-31T23:59:59-14:00", "ABCDEFG", "u1", "VI", "1e400", "nan", "-1", "٣", "\ufeff4"]
)  # fmt: skip
CELLS = st.one_of(
    WORDS, st.text(max_size=20), st.none(), st.booleans(), st.integers(), st.floats(),
    st.datetimes(), st.dates(), st.times(),
)  # fmt: skip


def reader(folder):
    file = write(folder / "a.csv", [TITLES, ["2026-10-24"] + ["1"] * 10])
    return Reader(Headed(file), MAPPING, FACE, ZONE, KEYS, {})


@settings(max_examples=100, deadline=None)
@given(cells=st.lists(CELLS, min_size=len(TITLES), max_size=len(TITLES)))
def test_a_row_of_anything_makes_a_body_or_mistakes_with_their_places(cells, tmp_path_factory):
    folder = tmp_path_factory.mktemp("x") if not hasattr(reader, "made") else None
    reader.made = getattr(reader, "made", None) or reader(folder)
    read = reader.made.read(Row(7, cells))
    assert (read.body is None) == bool(read.errors)
    for error in read.errors:
        assert error.values["row"] == 7 and error.detail("vi") and error.detail("en")
    if read.body:
        datetime.fromisoformat(read.body["answered_at"])
        try:
            FACE.pack(read.body["answers"], partial=True)
        except AnswerError as error:
            assert all(mistake.item in MAPPING.columns or mistake.item == "reason"
                       for mistake in error.mistakes)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(st.lists(st.text(max_size=12), min_size=1, max_size=6), min_size=1, max_size=5)
)
def test_a_proposal_decides_about_each_column_or_leaves_it(rows, tmp_path_factory):
    file = write(tmp_path_factory.mktemp("y") / "a.csv", [["Timestamp", "A1", *rows[0]], *rows])
    try:
        headed = Headed(file)
    except Exception as error:  # noqa: BLE001 - only this sort is a refusal
        assert type(error).__name__ == "WrongTable"
        return
    found = propose(headed, list(headed), INPATIENT)
    names = [column.name for column in headed.columns]
    assert sorted([*found.meanings, *found.leave_out, *found.undecided]) == sorted(names)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["item", "answer", "linkId", "valueCoding", "code", "display",
                         "valueInteger",
                         "valueString", "valueDecimal", "system", "value", "valueQuantity"]),
        inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
ITEMS = st.lists(
    st.fixed_dictionaries(
        {"linkId": st.sampled_from(["A1", "G1", "G2", "comment", "Z9"]) | JSON},
        optional={
            "answer": st.lists(
                st.dictionaries(
                    st.sampled_from(["valueCoding", "valueInteger", "valueDecimal", "valueString",
                                     "valueQuantity", "valueBoolean", "item"]), JSON, max_size=2),
                max_size=2) | JSON,
            "item": JSON,
        },
    ),
    max_size=3,
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(
    items=ITEMS | JSON,
    more=st.dictionaries(
        st.sampled_from(["identifier", "meta", "language", "id", "status", "authored",
                         "questionnaire", "extension", "modifierExtension"]), JSON, max_size=2),
)  # fmt: skip
def test_a_resource_of_anything_is_read_or_refused_by_paths(items, more):
    resource = {
        "resourceType": "QuestionnaireResponse", "status": "completed",
        "questionnaire": "urn:hailong:questionnaire:moh-inpatient|2", "authored": "2026-10-24",
        "item": items, **more,
    }  # fmt: skip
    try:
        read = read_response(resource, lambda code, number: PUBLISHED, ZONE)
    except InvalidFields as refused:
        assert refused.errors
        for error in refused.errors:
            assert error.field.startswith("QuestionnaireResponse.") and error.detail("vi")
        return
    body, _ = read.with_ids(KEYS, lambda point: [point], resource)
    assert isinstance(body["answers"], dict) and body["id"]


def test_moments_at_the_ends_of_time_are_refused_or_read(tmp_path):
    row = [datetime.max, date.min, time.max, "u", "AAAAAAA", "vi", "1", "5", "1", "0", ""]
    assert reader(tmp_path).read(Row(2, row))
