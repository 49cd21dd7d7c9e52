"""Plans: what a file may say, what is refused by line and sentence, and what is carried out."""

from dataclasses import replace

import pytest
from openpyxl import Workbook
from sqlalchemy import func, select

from app.audit.log import details_of
from app.audit.models import AuditEntry
from app.messages import say
from app.registry.models import (
    Reorganisation,
    Succession,
    Unit,
)
from app.registry.points import find_by_code
from app.registry.queries import find_unit
from app.registry.queries import tree as tree_of_all
from app.registry.reorganisation.carrying_out import MOST_AUDITED
from app.registry.reorganisation.changes import Move, PointHistory
from app.registry.reorganisation.plan import kept_plan
from app.registry.reorganisation.reading import read_plan
from app.registry.structures import read_units
from app.tables import WrongTable
from tests.registry.plans import (
    DAY,
    EVE,
    LATER,
    MERGER,
    apply,
    mistakes,
    plan,
    rows,
    tree,
    undone,
)


def test_a_merger_ends_begins_and_moves_points_and_is_undone(province, tmp_path):
    before, tree_before = rows(province), tree(province, LATER)
    found = apply(province, plan(tmp_path, *MERGER))
    assert tree(province, EVE) == tree_before
    after = tree(province, DAY)
    assert after == {"77": "", "A1": "77", "H1": "77", "W1": "H1", "N1": "77"}
    with province.database.reading() as session:
        new = session.scalars(select(Unit).where(Unit.code == "N1")).one()
        assert (new.name_vi, new.name_en, new.latitude) == ("Xã Mới", "Xã Mới", 10.5)
        ended = session.scalars(select(Unit.code).where(Unit.valid_to == EVE)).all()
        assert sorted(ended) == ["C1", "C2", "D1"]
        steps = session.execute(select(Succession.from_id, Succession.to_id, Succession.share))
        units = province.units
        assert sorted(map(tuple, steps)) == [(units[c], new.id, None) for c in ("C1", "C2")]
        for code in ("C1 sipas-desk", "C1 kiosk-face", "C2 sipas-desk"):
            printed = province.points[tuple(code.split())]
            assert find_by_code(session, printed).unit_id == new.id
        # D1 is closed: its point is where it was, of a unit that has ended.
        printed = province.points["D1", "sipas-desk"]
        assert find_by_code(session, printed).unit_id == province.units["D1"]
        assert len(found.changes.closings) == 1
        row = session.get(Reorganisation, found.id)
        assert (row.applied_by, row.first_day) == ("operator", DAY)
        assert kept_plan(row.plan, "kept").lines == plan(tmp_path, *MERGER).lines
        logged = session.scalars(
            select(AuditEntry).where(AuditEntry.action.like("unit%")).order_by(AuditEntry.id)
        ).all()
        ends = {e.subject: details_of(e) for e in logged if e.action == "unit.end"}
        assert ends["C1"] == {"last_day": "2025-06-30", "becomes": ["N1"]}
        total = next(details_of(e) for e in logged if e.action == "units.reorganise")
        assert (total["began"], total["ended"], total["points"], total["closed"]) == (1, 3, 3, 1)
    undone(province, found.id)
    assert rows(province) == before and tree(province, LATER) == tree_before
    with province.database.reading() as session:
        kept = session.scalars(select(Reorganisation).order_by(Reorganisation.id)).all()
        assert [each.undoes_id for each in kept] == [None, found.id]
        assert session.scalar(select(AuditEntry.subject).where(AuditEntry.action == "units.undo"))


def test_a_unit_that_was_never_valid_is_found_nowhere(province, tmp_path):
    done = apply(province, plan(tmp_path, "merge|C1|to=C2"))
    with province.database.reading() as session:
        before = tree_of_all(session, None)
        assert find_unit(session, "C2").valid_from == DAY and len(before.nodes) == 8
    undone(province, done.id)
    with province.database.reading() as session:
        assert find_unit(session, "C2").id == province.units["C2"]
        assert tree_of_all(session, None).find("C2").id == province.units["C2"]
        assert len(tree_of_all(session, None).nodes) == 7


def test_a_void_unit_is_used_again(province, tmp_path):
    first = apply(province, plan(tmp_path, *MERGER))
    undone(province, first.id)
    second = apply(province, plan(tmp_path, *MERGER))
    assert second.changes.foundings[0].unit_id == first.changes.foundings[0].unit_id
    assert tree(province, DAY)["N1"] == "77"
    undone(province, second.id)
    assert "N1" not in tree(province, DAY)


def test_renamed_and_moved_units_go_on_from_their_day(province, tmp_path):
    before = rows(province)
    lines = (
        "rename|C1|name_vi=Phường Một|name_en=Ward One",
        "move|C1|parent=77",
        "move|C2|parent=77",
    )
    done = apply(province, plan(tmp_path, *lines), today=EVE)
    with province.database.reading() as session:
        assert session.get(Unit, province.units["C1"]).name_vi == "Đơn vị C1"  # until its day
        history = read_units(session).histories[province.units["C1"]]
        assert history.on(EVE).name_vi == "Đơn vị C1" and history.on(DAY).name_vi == "Phường Một"
        entry = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "unit.change", AuditEntry.subject == "C1")
        ).one()
        told = details_of(entry)
        assert (told["before"]["parent"], told["after"]["parent"]) == ("D1", "77")
        assert (told["before"]["name_vi"], told["after"]["name_vi"]) == ("Đơn vị C1", "Phường Một")
    undone(province, done.id)
    assert rows(province) == before


def test_what_stands_below_goes_along_with_what_its_parent_becomes(province, tmp_path):
    lines = ("found|78|name_vi=Tỉnh Mới|kind=province", "merge|77|to=78")
    done = apply(province, plan(tmp_path, *lines))
    assert tree(province, DAY)["D1"] == "78"
    assert all(each.implied for each in done.changes.changes)
    with province.database.reading() as session:
        assert session.get(Unit, province.units["A1"]).parent.code == "78"
    undone(province, done.id)
    with province.database.reading() as session:
        assert session.get(Unit, province.units["A1"]).parent.code == "77"


def test_what_others_join_ends_and_begins_again_under_its_code(province, tmp_path):
    apply(province, plan(tmp_path, "merge|C1|to=C2"))
    with province.database.reading() as session:
        old, new = session.scalars(
            select(Unit).where(Unit.code == "C2").order_by(Unit.valid_from)
        ).all()
        assert (old.valid_to, new.valid_from, new.name_vi) == (EVE, DAY, "Đơn vị C2")
        assert new.parent_id == province.units["D1"]
        froms = session.scalars(select(Succession.from_id).where(Succession.to_id == new.id))
        assert set(froms) == {province.units["C1"], old.id}
        assert find_by_code(session, province.points["C2", "sipas-desk"]).unit_id == new.id


def test_codes_may_be_swapped_and_given_away(province, tmp_path):
    lines = (
        "found|C1|name_vi=Hai cũ|kind=commune|parent=D1", "merge|C2|to=C1",
        "found|C2|name_vi=Một cũ|kind=commune|parent=D1", "merge|C1|to=C2",
    )  # fmt: skip
    apply(province, plan(tmp_path, *lines))
    with province.database.reading() as session:
        units = read_units(session)
        placed = units.on(DAY).placements
        now = {unit.code: unit.id for unit in units.histories.values() if unit.first_day == DAY}
        assert placed[province.units["C1"]].whole == now["C2"]
        assert placed[province.units["C2"]].whole == now["C1"]


def test_a_split_has_shares_and_a_main_part_for_its_points(province, tmp_path):
    lines = (
        "found|N1|name_vi=Một|kind=commune|parent=D1", "split|C1|to=N1|share=0.25",
        "split|C1|to=C1|share=0.75|main=yes",
    )  # fmt: skip
    done = apply(province, plan(tmp_path, *lines))
    with province.database.reading() as session:
        now = session.scalars(select(Unit).where(Unit.code == "C1", Unit.valid_from == DAY)).one()
        assert find_by_code(session, province.points["C1", "kiosk-face"]).unit_id == now.id
        parts = dict(read_units(session).on(DAY).placements[province.units["C1"]].parts)
        assert parts[now.id] == 0.75 and sum(parts.values()) == 1
    assert not done.changes.closings


def test_without_a_main_part_points_of_what_is_divided_close(province, tmp_path):
    lines = (
        "found|N1|name_vi=Một|kind=commune|parent=D1", "split|C1|to=N1|share=0.25",
        "split|C1|to=C1|share=0.75",
    )  # fmt: skip
    done = apply(province, plan(tmp_path, *lines))
    assert len(done.changes.closings) == 2 and not done.changes.moves
    assert {each.unit_id for each in done.changes.closings} == {province.units["C1"]}
    # Of neither part does anybody's account follow: none is all of what was divided.
    assert done.changes.follows() == {}


def test_a_point_is_of_its_new_unit_from_the_day_itself_on():
    point = PointHistory(1, 5, [Move(1, DAY, 4, 5)])
    assert (point.on(EVE), point.on(DAY), point.on(LATER)) == (4, 5, 5)
    assert point.moves_after(EVE) and point.moves_after(DAY) and not point.moves_after(LATER)


def test_a_point_that_moved_twice_is_back_where_it_began(province, tmp_path):
    printed = province.points["C1", "kiosk-face"]
    one = plan(tmp_path, f"point|{printed}|to=A1")
    two = plan(tmp_path, f"point|{printed}|to=H1", day="2026-01-01")
    before = rows(province)
    done = apply(province, replace(one, lines=one.lines + two.lines))
    assert len(done.changes.moves) == 2
    undone(province, done.id)
    assert rows(province) == before


def test_a_point_goes_where_its_line_says(province, tmp_path):
    printed = province.points["C1", "kiosk-face"]
    apply(province, plan(tmp_path, *MERGER, f"point|{printed}|to=A1"))
    with province.database.reading() as session:
        assert find_by_code(session, printed).unit_id == province.units["A1"]


def test_a_point_that_is_there_already_is_no_change(province, tmp_path):
    printed = province.points["C1", "kiosk-face"]
    told = mistakes(province, plan(tmp_path, f"point|{printed}|to=C1"))
    assert told == [f"Row 2, column “to” (cell D2): survey point {printed} is of C1 already."]


def test_a_plan_may_have_several_days(province, tmp_path):
    first = plan(tmp_path, *MERGER)
    second = plan(tmp_path, "rename|N1|name_vi=Xã Mới Hơn", day="2026-01-01")
    both = type(first)(first.lines + second.lines)
    before = rows(province)
    done = apply(province, both)
    with province.database.reading() as session:
        new = session.scalars(select(Unit).where(Unit.code == "N1")).one()
        history = read_units(session).histories[new.id]
        assert [history.on(day).name_vi for day in (DAY, LATER)] == ["Xã Mới", "Xã Mới Hơn"]
        assert new.name_vi == "Xã Mới Hơn"
    undone(province, done.id)
    assert rows(province)[0] == before[0]


WRONG = {
    "an unknown unit": (["rename|X9|name_vi=A"], ["no unit has the code X9"]),
    "a unit that is not valid": (["rename|N9|name_vi=A"], ["no unit has the code N9"]),
    "two of one code": (
        ["found|C1|name_vi=Khác|kind=commune|parent=D1"],
        ["C1 at the same time: Khác (new) and Đơn vị C1 (there since 1 January 2020)"],
    ),
    "a split without parts": (["split|C1|to=C2"], ["only one unit has a part"]),
    "some shares": (["split|C1|to=C2|share=0.5", "split|C1|to=C1"], ["in some rows only"]),
    "shares that miss one": (
        ["split|C1|to=C2|share=0.5", "split|C1|to=C1|share=0.4"], ["add up to 0.9"],
    ),
    "two main parts": (
        ["split|C1|to=C2|main=yes", "split|C1|to=C1|main=yes"], ["more than one main part"],
    ),
    "renamed and closed": (["close|C1", "rename|C1|name_vi=A"], ["contradicts row 2"]),
    "merged twice": (["merge|C1|to=C2", "merge|C1|to=A1"], ["contradicts row 2"]),
    "moved twice": (["move|C1|parent=77", "move|C1|parent=A1"], ["contradicts row 2"]),
    "founded twice": (
        ["found|N|name_vi=A|kind=agency|parent=77", "found|N|name_vi=B|kind=agency|parent=77"],
        ["is founded on the same day in row 2"],
    ),
    "children left": (
        ["close|D1"], ["while Đơn vị C1 (C1) still", "while Đơn vị C2 (C2) still"],
    ),
    "a phường called a ward": (
        ["found|N|name_vi=Phường|kind=ward|parent=77"], ["a phường is a commune"],
    ),
    "a ward below nothing": (["found|N|name_vi=Khoa|kind=ward"], ["stands below one"]),
    "a ward that leaves its hospital": (["move|W1|parent=D1"], ["stands below one"]),
    "a parent that ends": (
        [*MERGER, "move|A1|parent=D1"], ["the unit above, D1, has ended by 1 July 2025"],
    ),
    "no such parent": (["move|C1|parent=X"], ["no unit has the code X on 1 July 2025"]),
    "a ring": (["move|D1|parent=C1"], ["D1 would stand below itself"]),
    "a target that ends": (
        ["merge|C1|to=C2", "close|C2"], ["C2 ends on the same day by row 3"],
    ),
    "no target": (["merge|C1|to=X"], ["no unit has the code X on 1 July 2025"]),
    "no point": (["point|ZZZZZZZ|to=A1"], ["no survey point has the code ZZZZZZZ"]),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_refused_whole_by_line_and_sentence(province, tmp_path, case):
    lines, sentences = WRONG[case]
    wrong = plan(tmp_path, *lines)
    found = mistakes(province, wrong)
    assert len(found) == len(sentences), found
    for told, sentence in zip(found, sentences, strict=True):
        assert told.startswith("Row ") and sentence in told, told
    before = rows(province)
    with pytest.raises(WrongTable):
        apply(province, wrong)
    assert rows(province) == before
    assert all(told.startswith("Dòng ") for told in mistakes(province, wrong, "vi"))


def test_the_day_of_a_unit_and_later_changes(province, tmp_path):
    assert (
        "valid on 30 June 2019"
        in mistakes(province, plan(tmp_path, "rename|C1|name_vi=A", day="2019-07-01"))[0]
    )
    apply(province, plan(tmp_path, "rename|C1|name_vi=A", day="2026-01-01"))
    told = mistakes(province, plan(tmp_path, "close|C1"))
    assert told == [
        "Row 2, column “code” (cell C2): unit C1 is changed from 1 January 2026 on already; undo "
        "that change first."
    ]
    assert len(mistakes(province, plan(tmp_path, "close|C1", day="2026-01-01"))) == 1


def test_what_is_later_and_below_hinders_too(province, tmp_path):
    apply(province, plan(tmp_path, "rename|C1|name_vi=A", day="2026-01-01"))
    lines = ("found|D2|name_vi=Hai|kind=district|parent=77", "merge|D1|to=D2")
    assert "C1" in mistakes(province, plan(tmp_path, *lines))[0]


def test_of_a_large_plan_its_text_is_the_record(province, tmp_path):
    count = MOST_AUDITED + 1
    done = apply(
        province,
        plan(
            tmp_path, *(f"found|N{n}|name_vi=Xã {n}|kind=commune|parent=D1" for n in range(count))
        ),
    )
    with province.database.reading() as session:
        logged = select(func.count()).select_from(AuditEntry)
        assert session.scalar(logged.where(AuditEntry.action == "unit.found")) == 0
        assert session.scalar(logged.where(AuditEntry.action == "units.reorganise")) == 1
        assert session.get(Reorganisation, done.id).plan.count("\n") == count + 1


def test_cells_that_say_nothing_are_named(tmp_path):
    file = tmp_path / "plan.csv"
    file.write_text(
        "ngày,loại thay đổi,mã,thành,tên,tỷ lệ,chính,tài khoản,loại\n"
        "01/07/2025,merge,C1,,,,,maybe,\n"
        "x,dissolve,C1,,,,,,\n"
        "2025-07-01,split,C1,N1,,1.5,perhaps,,\n"
        "2025-07-01,close,C1,N1,,,,,\n"
        "2025-07-01,found,,,,,,,village\n",
        encoding="utf-8",
    )
    with pytest.raises(WrongTable) as wrong:
        read_plan(file)
    told = "\n".join(error.detail("en") for error in wrong.value.errors)
    for part in (
        "Row 2, column “thành” (cell D2)", "“maybe” cannot be taken", "“x” is no",
        "“dissolve” is no change",
        "“1.5” is no share", "“perhaps” is neither", "“close” has no use for this column",
        "Row 6, column “mã”", "Row 6, column “tên”", "“village”",
    ):  # fmt: skip
        assert part in told, (part, told)
    assert say("plan.no_share", "vi", value="1.5") in "\n".join(
        error.detail("vi") for error in wrong.value.errors
    )


def test_a_workbook_is_read_as_well(tmp_path):
    book = Workbook()
    book.active.append(["day", "action", "code", "to", "share", "main"])
    book.active.append([DAY, "split", "C1", "N1", 0.5, True])
    book.active.append([DAY, "split", "C1", 26506, 0.5, None])
    book.save(tmp_path / "plan.xlsx")
    lines = read_plan(tmp_path / "plan.xlsx").lines
    assert [(line.day, line.to, line.share, line.main) for line in lines] == [
        (DAY, "N1", 0.5, True), (DAY, "26506", 0.5, False),
    ]  # fmt: skip


@pytest.mark.parametrize("number", [46722, "46722", 46722.0])
def test_a_number_for_a_day_is_refused_with_the_day_that_it_may_be(tmp_path, number):
    book = Workbook()
    book.active.append(["day", "action", "code"])
    book.active.append([number, "close", "C1"])
    book.active.append([number, "close", "C2"])
    book.active["A3"].number_format = '"ngày" dd "tháng" mm "năm" yyyy'
    book.save(tmp_path / "plan.xlsx")
    with pytest.raises(WrongTable) as wrong:
        read_plan(tmp_path / "plan.xlsx")
    said = [error.detail("vi") for error in wrong.value.errors]
    # A number that is formatted as a date is one; a text is none.
    assert len(said) == (2 if isinstance(number, str) else 1)
    assert "A2" in said[0] and "46722" in said[0] and "01/12/2027" in said[0]


@pytest.mark.parametrize("day", ["0001-01-01", "1899-12-31", "2200-01-01", "31/12/9999"])
def test_a_day_without_a_day_before_or_far_away_is_refused_by_its_cell(tmp_path, day):
    with pytest.raises(WrongTable) as wrong:
        plan(tmp_path, "close|C1", day=day)
    (error,) = wrong.value.errors
    assert (error.field, error.cause) == ("A2", "plan.day_outside")
    assert f"“{day}”" in error.detail("vi")
