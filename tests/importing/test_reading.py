"""From files of other programs to bodies, by what their columns mean."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.importing.headers import Headed, Program
from app.importing.mapping import ColumnMeaning, Mapping, Role
from app.tables import WrongTable
from tests.importing.exports import (
    FACE,
    FRIENDS_AND_FAMILY,
    GOOGLE,
    KOBO,
    LIMESURVEY,
    QUALTRICS,
    VV,
    write,
)
from tests.importing.reading import imported, proposed, read, said


@pytest.mark.parametrize(
    ("rows", "program", "first"),
    [
        (GOOGLE, Program.GOOGLE_FORMS, 2),
        (KOBO, Program.KOBO, 2),
        (VV, Program.LIMESURVEY_VV, 3),
        (LIMESURVEY, Program.LIMESURVEY, 2),
        (QUALTRICS, Program.QUALTRICS, 4),
        (FRIENDS_AND_FAMILY, Program.OTHER, 2),
    ],
)
def test_what_wrote_a_file_and_where_its_rows_begin(tmp_path, rows, program, first):
    headed = Headed(write(tmp_path / "a.csv", rows))
    assert headed.program is program
    assert next(iter(headed)).number == first
    again = Headed(write(tmp_path / "a.xlsx", rows[:first]))
    assert again.fingerprint == headed.fingerprint and again.sheet == "Phiếu"
    other = [[*row, "thêm"] for row in rows]
    assert Headed(write(tmp_path / "b.csv", other)).fingerprint != headed.fingerprint


def test_google_forms_in_vietnamese(tmp_path):
    file = write(tmp_path / "Phiếu.csv", GOOGLE)
    mapping, found = proposed(file)
    assert list(found.undecided) == ["Ý kiến khác"] and "Họ và tên" in mapping.leave_out
    first, second = read(file, mapping)
    assert first.body["answered_at"] == "2026-10-24T09:30:00+07:00"
    assert second.body["answered_at"] == "2026-10-24T13:05:30+07:00"
    assert first.body["answers"] == {"A1": 5, "B1": 4, "C1": 3, "trips": 1}
    assert second.body["answers"] == {"A1": 2, "C1": 1, "trips": 4}


def test_kobos_groups_words_and_ids(tmp_path):
    first, second = imported(write(tmp_path / "kobo.xlsx", KOBO))
    assert first.body["answers"] == {"A1": 5, "B1": 4, "C1": 1, "trips": 2, "comment": "Ổn"}
    assert second.body["answers"] == {"A1": 5, "C1": 2}
    assert (first.body["duration_s"], second.body["duration_s"]) == (200, 60)
    # The id is that of the submission: another moment or point makes it no other.
    moved = [KOBO[0], [*KOBO[1][:1], "2026-10-25T08:03:20.000+07:00", *KOBO[1][2:]]]
    (again,) = imported(write(tmp_path / "kobo2.csv", moved), point="XYZXYZX")
    assert again.body["id"] == first.body["id"] != second.body["id"]


def test_kobos_own_time_is_that_of_greenwich(tmp_path):
    rows = [[cell for n, cell in enumerate(row) if n > 1] for row in KOBO]
    first, _ = imported(write(tmp_path / "kobo.csv", rows))
    assert first.body["answered_at"] == "2026-10-24T01:03:44+00:00"


def test_limesurveys_vv_export(tmp_path):
    file = write(tmp_path / "vv.csv", VV, delimiter="\t")
    done, unfinished, without_times = imported(file)
    assert done.body["answers"] == {"A1": 4, "B1": 5}
    assert done.body["duration_s"] == 120 and done.body["language"] == "vi"
    assert unfinished.unfinished and unfinished.body is None
    assert (
        "keeps no times" in said(without_times)[0]
        and "column “submitdate”" in said(without_times)[0]
    )
    _, taken, _ = imported(file, unfinished="take")
    assert taken.body["partial"] is True
    assert taken.body["answered_at"] == "2026-10-24T13:34:07+07:00"


def test_limesurveys_labels(tmp_path):
    (row,) = imported(write(tmp_path / "labels.csv", LIMESURVEY))
    assert row.body["answers"] == {"A1": 5, "A2": 3, "trips": 2}


def test_qualtrics_three_rows_and_scales_that_run_the_other_way(tmp_path):
    file = write(tmp_path / "qualtrics.csv", QUALTRICS)
    mapping, _ = proposed(file)
    turned = {
        n: m.model_copy(update={"reversed": bool(m.item)}) for n, m in mapping.columns.items()
    }
    first, unfinished = read(file, mapping.model_copy(update={"columns": turned}))
    assert first.body["answers"] == {"A1": 5, "B1": 4, "B2": 1}
    assert first.body["duration_s"] == 120
    assert unfinished.unfinished
    _, late = read(file, mapping.model_copy(update={"unfinished": "take"}))
    assert "duration_s" not in late.body  # longer than a day says nothing


def test_friends_and_family(tmp_path):
    file = write(tmp_path / "fft.csv", FRIENDS_AND_FAMILY)
    mapping, found = proposed(file, FACE, point="")
    # "Don't know" is no level, and the form takes no such answer: that is the person's to decide.
    assert found.unknown == {"rating": ["Don’t know"]}
    assert set(found.undecided) == {"free_text", "do_better", "surgery", "free_text_len",
                                    "rating_score"}  # fmt: skip
    points = {"Phòng khám A": "AAAAAAA", "phòng khám b": "BBBBBBB"}
    columns = {**mapping.columns, "surgery": ColumnMeaning(role=Role.POINT, words=points)}
    left = tuple(name for name in mapping.leave_out if name != "surgery")
    mapping = mapping.model_copy(update={"columns": columns, "leave_out": left})
    *rows, unknown = read(file, mapping, FACE)
    assert [row.body["answers"] for row in rows] == [{"S1": 5}, {"S1": 3}, {"S1": 1}]
    assert [row.body["point"] for row in rows] == ["AAAAAAA", "AAAAAAA", "BBBBBBB"]
    assert said(unknown) == [
        "Row 5, column “rating” (cell B5): “Don’t know” is no level and no option of this question."
        " Say in the mapping what it means."
    ]


def split(*cells):
    head = ["Timestamp", "S1", *(f"reason/{n}" for n in range(1, 4)), "_uuid"]
    return [head, ["2026-10-24 09:00", "1", *cells, "u1"]]


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        (("1", "0", "1"), [1, 3]),
        (("Có", "Không", ""), [1]),
        (("Thời gian chờ", "", "Hướng dẫn và giải thích"), [1, 3]),
        (("0", "0", "0"), []),
        (("", "", ""), None),
        ((True, False, True), [1, 3]),
    ],
)
def test_a_question_with_several_answers_over_several_columns(tmp_path, cells, reason):
    file = write(tmp_path / "kobo.xlsx", split(*cells))
    (row,) = imported(file, FACE, missing=())
    assert row.body["answers"].get("reason") == reason


def test_what_does_not_say_whether_an_option_was_chosen_is_refused(tmp_path):
    (row,) = imported(write(tmp_path / "kobo.csv", split("maybe", "1", "")), FACE)
    assert "column “reason/1” (cell C2): “maybe”" in said(row)[0]


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("1 3", [1, 3]),
        ("Waiting time, Rooms and equipment", [1, 5]),
        ("Thời gian chờ;Chi phí", [1, 6]),
        ("Waiting time", [1]),
        ("6", [6]),
    ],
)
def test_several_answers_in_one_cell(tmp_path, cell, reason):
    rows = [["Timestamp", "S1", "reason"], ["2026-10-24 09:00", "1", cell]]
    (row,) = imported(write(tmp_path / "a.csv", rows), FACE)
    assert row.body["answers"]["reason"] == reason


def one(tmp_path, cell, **changes):
    rows = [["Timestamp", "A1"], ["2026-10-24 09:00", cell]]
    (row,) = imported(write(tmp_path / "a.csv", rows), **changes)
    return row


def test_a_level_is_never_guessed(tmp_path):
    assert one(tmp_path, "4.0").body["answers"] == {"A1": 4}
    assert one(tmp_path, "5 - Rất hài lòng").body["answers"] == {"A1": 5}
    assert one(tmp_path, "Very  SATISFIED.").body["answers"] == {"A1": 5}
    assert one(tmp_path, "Không có ý kiến").body["answers"] == {"A1": None}
    assert "different levels" in said(one(tmp_path, "1 (Rất hài lòng)"))[0]
    assert "no level" in said(one(tmp_path, "khá ổn"))[0]
    # "Very good" is the best of five or the second, by the other words of its column.
    assert "no level" in said(one(tmp_path, "Very good"))[0]


@pytest.mark.parametrize(
    ("words", "levels"),
    [
        (["Excellent", "Very good", "Good", "Fair", "Poor"], [5, 4, 3, 2, 1]),
        (["Very good", "Good", "Fair", "Poor", "Very poor"], [5, 4, 3, 2, 1]),
        (["Sehr zufrieden", "zufrieden", "unzufrieden"], [5, 4, 2]),
        (["Muy satisfecho", "insatisfecho"], [5, 2]),
        (["very_dissatisfied", "neutral"], [1, 3]),
        (["Hoàn toàn đồng ý", "Đồng ý", "Phân vân"], [5, 4, 3]),
        (["非常满意", "不满意"], [5, 2]),
    ],
)
def test_words_of_a_column_say_which_scale_it_has(tmp_path, words, levels):
    rows = [["Timestamp", "A1"], *([f"2026-10-24 09:0{n}", w] for n, w in enumerate(words))]
    read = imported(write(tmp_path / "a.csv", rows))
    assert [row.body["answers"]["A1"] for row in read] == levels


def test_a_day_that_may_be_two_is_refused_until_somebody_says_which(tmp_path):
    rows = [["Timestamp", "A1"], ["3/4/2026 09:00", "4"]]
    file = write(tmp_path / "a.csv", rows)
    assert "may be 03/04/2026 or 04/03/2026" in said(imported(file)[0])[0]
    (row,) = imported(file, dates="month-first")
    assert row.body["answered_at"] == "2026-03-04T09:00:00+07:00"
    file = write(tmp_path / "b.csv", [*rows, ["24/4/2026 09:00", "4"]])
    assert imported(file)[0].body["answered_at"] == "2026-04-03T09:00:00+07:00"
    for cell in ("31/2/2026", "yesterday", "45000.5", "2026-10-24 25:00"):
        (row,) = imported(write(tmp_path / "c.csv", [rows[0], [cell, "4"]]))
        assert "Not a date" in said(row)[0], cell


@settings(max_examples=25, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.integers(1, 5), st.sampled_from(["", "Tốt", "na"])), min_size=1, max_size=8
    ),
    order=st.randoms(use_true_random=False),
)
def test_rows_without_an_id_are_known_again_in_any_order_and_with_further_columns(
    rows, order, tmp_path_factory
):
    folder = tmp_path_factory.mktemp("rows")
    head = ["Timestamp", "A1", "comment"]
    written = [["2026-10-24 09:00", str(level), comment] for level, comment in rows]
    first = imported(write(folder / "a.csv", [head, *written]))
    ids = [row.body["id"] for row in first]
    assert len(set(ids)) == len(ids)  # like ones are told apart by how many came before
    shuffled = order.sample(written, len(written))
    wider = [[*head, "Câu mới"], *([*row, ""] for row in shuffled)]
    again = imported(write(folder / "b.csv", wider))
    assert {row.body["id"] for row in again} == set(ids)


def test_a_row_is_the_same_under_the_code_of_a_new_poster(tmp_path):
    file = write(tmp_path / "a.csv", GOOGLE)
    mapping, _ = proposed(file, point="OLDCODE")
    first, _ = read(file, mapping)
    new = mapping.model_copy(update={"point": "NEWCODE"})
    again, _ = read(file, new, codes={"NEWCODE": ["OLDCODE", "NEWCODE"]})
    assert again.body["id"] == first.body["id"] and again.former_ids
    other, _ = read(file, new)
    assert other.body["id"] != first.body["id"]


def test_nothing_is_read_before_every_column_is_decided_about(tmp_path):
    file = write(tmp_path / "a.csv", GOOGLE)
    mapping = Mapping(
        source="x",
        questionnaire="sipas-desk",
        columns={"gone": {"item": "A1"}, "Họ và tên": {"item": "Z9"}, GOOGLE[0][1]: {"item": "A1"}},
    )
    with pytest.raises(WrongTable) as wrong:
        read(file, mapping)
    reasons = sorted(error.reason.removeprefix("importing.") for error in wrong.value.errors)
    assert reasons == ["column_gone", "no_item", "no_moment_column", "no_point_column", "twice",
                       *["undecided"] * 5]  # fmt: skip


def test_a_language_by_its_name(tmp_path):
    rows = [["Timestamp", "A1", "language"], ["2026-10-24", "4", "English"],
            ["2026-10-24", "4", "vi_VN"], ["2026-10-24", "4", ""]]  # fmt: skip
    read = imported(write(tmp_path / "a.csv", rows))
    assert [row.body["language"] for row in read] == ["en", "vi", "vi"]


def limesurvey(*titles):
    head = ["submitdate", "S1", *titles]
    return [
        head,
        ["2026-10-24 09:00:00", "1", "Y", "", "N"],
        ["2026-10-24 09:01:00", "4", "", "", ""],
    ]


@pytest.mark.parametrize(
    "rows",
    [
        limesurvey("reason[1]", "reason[2]", "reason[3]"),
        limesurvey(*(f"reason[SQ00{n}]. Điều gì cần làm tốt hơn? [{said}]" for n, said in enumerate(
            ("Thời gian chờ", "Thái độ phục vụ", "Hướng dẫn và giải thích"), 1))),
        [["Date submitted", "S", "Waiting time", "Staff", "Guidance"],
         ["submitdate", "S1", "reason_1", "reason_2", "reason_3"],
         *limesurvey()[1:]],
    ],
)  # fmt: skip
def test_limesurveys_questions_with_several_answers(tmp_path, rows):
    if rows[1][0] == "submitdate":  # vv has more of its own columns
        more = [["Id", "L"], ["id", "startlanguage"], ["1", "vi"], ["2", "vi"]]
        rows = [[*row, *others] for row, others in zip(rows, more, strict=True)]
    first, second = imported(write(tmp_path / "a.csv", rows), FACE)
    assert first.body["answers"] == {"S1": 1, "reason": [1]}
    assert second.body["answers"] == {"S1": 4}


@pytest.mark.parametrize("day", ["30/12/1899", "01/01/1900", "0001-01-01", "31/12/9999"])
def test_a_day_that_no_form_was_filled_in_on_is_named(tmp_path, day):
    """Excel's day nought, and the first and last that some programs know."""
    rows = [GOOGLE[0], [day, *GOOGLE[1][1:]], GOOGLE[2]]
    mapping, _ = proposed(write(tmp_path / "a.csv", GOOGLE))
    refused, taken = read(write(tmp_path / "b.csv", rows), mapping)
    assert day in said(refused)[0] and taken.body is not None
