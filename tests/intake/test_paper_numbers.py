"""By which number, round and point a paper form is known again."""

import json
from datetime import datetime
from hashlib import blake2b

from app.intake.ids import made_uuid7
from app.intake.rollup_rebuild import verify
from app.registry.points import find_by_code, reprint
from tests.intake.paper_forms import ZONE, imported, stored


def test_forms_numbered_anew_in_each_round_are_other_forms(run, province, database, tmp_path):
    point = province.points[("C2", "sipas-desk")]
    head, file = ["số phiếu", "đợt", "date", "point", "A1"], tmp_path / "forms.csv"
    first = ["1", "Đợt 1/2026", "2026-10-01", point, 4]
    second = ["1", "Đợt 2/2026", "2026-11-02", point, 2]
    said, errors = imported(run, file, [head, first, second])
    assert ("2 accepted, 0 rows wrong" in said, errors) == (True, [])
    # The name of a round is one however it is written; a corrected form does not count twice.
    corrected = ["01", " đợt  2/2026 ", "2026-11-03", point, 2]
    said, (error,) = imported(run, file, [head, first, second, corrected])
    assert "2 duplicate, 1 conflict" in said
    assert (error["row"], error["column"]) == ("4", "số phiếu")
    for words in ("Phiếu số 1 ", f"điểm {point}", "đợt “đợt 2/2026”", "02/11/2026"):
        assert words in error["vi"]
    for words in ("Form 1 ", f"point {point}", "round “đợt 2/2026”", "02/11/2026"):
        assert words in error["en"]
    assert len(stored(database)) == 2
    # The round may be given for the whole file.
    bare = [[cell for place, cell in enumerate(row) if place != 1] for row in (head, second)]
    assert "1 duplicate" in imported(run, file, bare, "--round", "Đợt 2/2026")[0]
    assert "1 accepted" in imported(run, file, bare, "--round", "Đợt 3/2026")[0]


def test_a_form_is_the_same_under_the_code_of_a_new_poster(run, province, database, tmp_path):
    """With a number and without: the clerk puts the new code into the old file."""
    code = province.points[("C2", "sipas-desk")]
    head, file = ["form_no", "round", "date", "point", "A1"], tmp_path / "forms.csv"

    def rows(code):
        numbers = (("7", ""), ("7", "2"), ("", ""))
        return [head, *([*named, "2026-10-24", code, 4] for named in numbers)]

    assert "3 accepted" in imported(run, file, rows(code))[0]
    with database.writing() as session:
        new = reprint(session, find_by_code(session, code))
    assert "3 duplicate" in imported(run, file, rows(new))[0]
    with database.writing() as session:
        newer = reprint(session, find_by_code(session, new))
    assert "3 duplicate" in imported(run, file, rows(newer))[0]
    assert len(stored(database)) == 3


def test_a_number_is_one_however_it_is_typed(run, province, database, tmp_path):
    point = province.points[("C2", "sipas-desk")]
    head, file = ["form_no", "date", "point", "A1"], tmp_path / "forms.xlsx"
    day = datetime(2026, 10, 24)
    rows = [[number, day, point, 4] for number in ("7", "07", "7,0", "7.0", 7, 7.0, "007")]
    rows += [["A7", day, point, 4], ["A07", day, point, 4], ["70", day, point, 4]]
    said, errors = imported(run, file, [head, *rows])
    assert ("4 accepted, 6 duplicate" in said, errors) == (True, [])
    assert len(stored(database)) == 4


def test_forms_entered_before_there_were_rounds_are_known_again(
    run, province, database, tmp_path, monkeypatch
):
    point = province.points[("C2", "sipas-desk")]
    head, file = ["form_no", "date", "point", "A1"], tmp_path / "forms.csv"
    rows = [["07", "2026-10-24", point, 4], ["8", "2026-10-24", point, 3]]
    # As ids were made then: of the point and of the number as it was typed.
    with monkeypatch.context() as then:
        then.setattr("app.intake.paper._spellings", lambda typed, form_no: [typed])
        assert "2 accepted" in imported(run, file, [head, *rows])[0]
    old = made_uuid7(
        datetime(2000, 1, 1, tzinfo=ZONE),
        blake2b(f'["{point}", "07"]'.encode(), digest_size=10).digest(),
    )
    assert str(old) in {row.id for row in stored(database)}
    for number in ("07", "7", "7,0"):
        rows[0][0] = number
        assert "2 duplicate, 0 rows wrong" in imported(run, file, [head, *rows])[0]
    # Whoever names the round afterwards does not count the same sheets again …
    assert "2 duplicate" in imported(run, file, [head, *rows], "--round", "2026")[0]
    # … and other sheets with the same numbers are of the new round.
    rows[0][1] = rows[1][1] = "2026-11-24"
    said, errors = imported(run, file, [head, *rows])
    assert "2 conflict" in said and "đợt chưa đặt tên" in errors[0]["vi"]
    assert "the round without a name" in errors[0]["en"] and "24/10/2026" in errors[0]["en"]
    assert "2 accepted, 0 rows wrong" in imported(run, file, [head, *rows], "--round", "2026")[0]
    assert verify(database) == []


def test_a_preview_tells_what_would_be_a_duplicate_or_a_conflict(run, province, database, tmp_path):
    point = province.points[("C2", "sipas-desk")]
    head, file = ["form_no", "date", "point", "A1"], tmp_path / "forms.csv"
    one, same, other = (["1", "2026-10-24", point, rate] for rate in (4, 4, 5))
    said, (error,) = imported(run, file, [head, one, same, other], "--preview")
    assert "1 right, 1 duplicate, 1 conflict" in said and error["row"] == "4"
    assert stored(database) == []
    assert "1 accepted" in imported(run, file, [head, one])[0]
    assert "1 duplicate, 0 rows wrong" in imported(run, file, [head, one], "--preview")[0]
    said, (error,) = imported(run, file, [head, other], "--preview")
    assert "1 conflict" in said and "24/10/2026" in error["vi"]


def test_numbers_and_rounds_that_do_harm_elsewhere_are_refused(run, province, database, tmp_path):
    point = province.points[("C2", "sipas-desk")]
    head, file = ["form_no", "round", "date", "point", "A1"], tmp_path / "forms.csv"
    rows = [
        ["1\u202e2", "", "2026-10-24", point, 4],
        ["=1", "", "2026-10-24", point, 4],
        ["1", "../2026", "2026-10-24", point, 4],
        ["1", "x" * 65, "2026-10-24", point, 4],
    ]
    said, errors = imported(run, file, [head, *rows])
    assert "none right, 4 rows wrong" in said and stored(database) == []
    assert [error["column"] for error in errors] == ["form_no", "form_no", "round", "round"]
    assert "longer than 64 characters" in errors[3]["en"]


def test_rows_without_a_number_are_known_though_their_texts_had_spaces_once(
    run, province, database, tmp_path, monkeypatch
):
    point = province.points[("C2", "sipas-desk")]
    file = tmp_path / "forms.csv"
    rows = [["date", "point", "A1", "comment"], ["2026-10-24", point, 4, " Tốt  "]]
    body = {
        "questionnaire": "sipas-desk",
        "version": 2,
        "point": point,
        "answered_at": "2026-10-24T00:00:00+07:00",
        "language": "vi",
        "answers": {"A1": 4, "comment": " Tốt  "},
    }
    # As the id was made then: of the body as it was typed, and of how many like it came before.
    key = json.dumps(body, sort_keys=True, ensure_ascii=False).encode()
    digest = blake2b(key, digest_size=10).digest()
    digest = blake2b(digest + b"1", digest_size=10).digest()
    old = str(made_uuid7(datetime(2026, 10, 24, tzinfo=ZONE), digest))
    with monkeypatch.context() as then:
        then.setattr("app.intake.paper._Reader._ids_by_content", lambda *_: [old])
        assert "1 accepted" in imported(run, file, rows)[0]
    assert [row.id for row in stored(database)] == [old]
    assert "1 duplicate, 0 rows wrong" in imported(run, file, rows)[0]
    rows[1][3] = "Tốt"
    assert "1 accepted" in imported(run, file, rows)[0]  # nobody says that it is the same sheet
