"""Response tables of others, which stand beside the project where they are at hand."""

from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from app.importing.headers import Headed, Program
from app.importing.mapping import ColumnMeaning, Role
from app.importing.proposing import propose
from app.importing.reading import Reader
from app.settings import Settings
from app.tables import WrongTable
from app.text_keys import TextKeys
from tests.importing.exports import DESK, FACE

FOLDER = Path(__file__).parents[3] / "shared" / "forms"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="../shared/forms is not there")
KEYS = TextKeys.of(Settings())


@pytest.mark.parametrize(
    ("name", "program", "columns"),
    [
        ("responses/de17.csv", Program.LIMESURVEY, 248),
        ("responses/uk16.csv", Program.LIMESURVEY, None),
        ("responses/r20_es.tsv", Program.OTHER, None),
        ("responses/fft_no_texts.csv", Program.OTHER, 8),
        ("responses/q_long_survey.csv", Program.QUALTRICS, 367),
        ("responses/q_sbs_insights.csv", Program.QUALTRICS, None),
        ("limesurvey/r0bis_vv.csv", Program.LIMESURVEY_VV, None),
    ],
)
def test_the_program_and_its_columns_are_known_and_each_has_a_name_of_its_own(
    name, program, columns
):
    headed = Headed(FOLDER / name)
    assert headed.program is program
    names = [column.name for column in headed.columns]
    assert len(set(names)) == len(names) and columns in (None, len(names))
    rows = list(headed)
    found = propose(headed, rows, DESK)
    decided = {*found.meanings, *found.leave_out, *found.undecided}
    assert decided == set(names)
    # What names the sender or the device is proposed to be left out.
    for part in ("IPAddress", "RecipientEmail", "IP address", "ipaddr", "token"):
        assert not {name for name in names if name == part} - set(found.leave_out)


def test_three_thousand_answers_to_friends_and_family():
    headed = Headed(FOLDER / "responses/fft_no_texts.csv")
    rows = list(headed)
    found = propose(headed, rows, FACE)
    assert found.meanings["rating"].item == "S1" and found.unknown == {"rating": ["Don't know"]}
    mapping = found.mapping(headed, "fft", FACE, "ABCDEFG")
    rating = mapping.columns["rating"]
    words = {**rating.words, "Don't know": "no-answer"}
    mapping = mapping.model_copy(
        update={
            "columns": {**mapping.columns, "rating": rating.model_copy(update={"words": words})},
            "leave_out": (*mapping.leave_out, *found.undecided),
        }
    )
    reader = Reader(headed, mapping, FACE, ZoneInfo("Europe/London"), KEYS, {})
    score = next(column for column in headed.columns if column.name == "rating_score")
    read = [reader.read(row) for row in rows]
    assert len(read) == 3882 and not any(row.errors for row in read)
    for row in read:
        given = row.row.cells[score.place]
        assert row.body["answers"] == ({"S1": int(float(given))} if given else {})
    assert len({row.body["id"] for row in read}) == len(read)


def test_limesurveys_own_times_ids_and_numbers():
    headed = Headed(FOLDER / "limesurvey/r0bis_vv.csv")
    columns = {
        "id": ColumnMeaning(role=Role.ID),
        "submitdate": ColumnMeaning(role=Role.SUBMITTED_AT),
        "startlanguage": ColumnMeaning(role=Role.LANGUAGE),
        "Q002MC_SQ003": ColumnMeaning(item="trips"),
    }
    rows = list(headed)
    found = propose(headed, rows, DESK)
    assert {name: meaning.role for name, meaning in found.meanings.items() if meaning.role} == {
        "id": Role.ID,
        "submitdate": Role.SUBMITTED_AT,
        "startlanguage": Role.LANGUAGE,
        "startdate": Role.STARTED_AT,
    }
    mapping = found.mapping(headed, "wellbeing", DESK, "ABCDEFG").model_copy(
        update={
            "columns": columns,
            "leave_out": tuple(c.name for c in headed.columns if c.name not in columns),
        }
    )
    reader = Reader(headed, mapping, DESK, ZoneInfo("Europe/London"), KEYS, {})
    read = [reader.read(row) for row in rows]
    assert not any(row.errors for row in read) and len({row.body["id"] for row in read}) == len(
        read
    )
    assert {type(row.body["answers"]["trips"]) for row in read} == {int}


@pytest.mark.parametrize(("name", "told"), [("pci05.xls", "old Excel")])
def test_what_is_refused(name, told):
    with pytest.raises(WrongTable) as wrong:
        Headed(FOLDER / "responses" / name)
    assert told in wrong.value.detail("en") and name in wrong.value.detail("en")


def test_a_workbook_of_the_provinces_is_read_though_it_holds_no_responses():
    headed = Headed(FOLDER / "responses/pci12.xlsx")
    assert headed.sheet and len(list(islice(headed, 20))) == 20
