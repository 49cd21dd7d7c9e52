"""Pages and folders keep a copy up to date: what came, was set aside, withdrawn, erased."""

import json
from dataclasses import replace
from datetime import date, timedelta

import duckdb
import pytest
from sqlalchemy import event, select

from app.access.callers import Caller, Grant, owner
from app.access.models import Right
from app.export.cursors import SETTLES, Cursor, CursorUnknown, begin, read_page, renewed
from app.export.folder import STATE, FolderBusy, FolderOfAnotherExport, export_to_folder
from app.export.formats import Format
from app.export.rows import read_rows
from app.export.selection import MissingRightForTexts, Wish, select_responses
from app.intake.changes import last_number
from app.intake.export_ids import ExportIds
from app.intake.models import Disposition, Response, ResponseChange
from app.intake.prepared import Outcome
from app.intake.retained import Erased, note
from app.intake.setting_aside import Together, change_dispositions
from app.registry.models import Unit, UnitKind
from app.retention.deleting import erase
from app.retention.withdrawing import withdraw, withdraw_texts
from app.settings import Settings
from app.text_keys import TextKeys
from tests.export.conftest import LATER, NOW, answered, received
from tests.intake.test_store import Preparing
from tests.small_province import body

OWNER = owner("a test")
WISH = Wish("sipas-desk")
KEYS = TextKeys.of(Settings())


class Copy:
    """Somebody's copy, kept by pages."""

    def __init__(self, database, wish=WISH, caller=OWNER, limit=7):
        self.database, self.wish, self.caller, self.limit = database, wish, caller, limit
        self.rows, self.told, self.cursor = {}, [], None

    def follow(self, now=LATER):
        ids, more, pages = ExportIds.of(self.database), True, 0
        while more:
            pages += 1
            assert pages < 1000, "it leads nowhere"
            with self.database.reading() as session:
                chosen = select_responses(session, self.caller, self.wish, with_changes=True)
                at = (
                    begin(session, chosen, now)
                    if self.cursor is None
                    else renewed(session, chosen, Cursor.opened(self.cursor, KEYS), now)
                )
                page = read_page(session, chosen, ids, at, now, self.limit)
            self.cursor, more = page.cursor.sealed(KEYS), page.more
            for row in page.batch.to_pylist():
                self.told.append((row["change"], row["response"]))
                if row["change"] == "row":
                    self.rows[row["response"]] = row
                elif row["change"] == "deleted-before":
                    self.rows = {k: r for k, r in self.rows.items() if r["day"] >= row["day"]}
                else:
                    self.rows.pop(row["response"], None)
        return self

    def check(self, now=LATER):
        """That it is what somebody who reads all anew has."""
        fresh = Copy(self.database, self.wish, self.caller, 1000).follow(now)
        assert self.rows == fresh.rows
        return self


@pytest.fixture
def drawn(database, province):
    return answered(database, province)


def test_a_copy_that_follows_is_what_one_reads_anew(database, province, drawn, settings):
    ids, copy = ExportIds.of(database), Copy(database).follow().check()
    assert set(copy.rows) == {ids.of_response(i) for i, s in drawn.items() if s[1] == "sipas-desk"}
    assert copy.told and {what for what, _ in copy.told} == {"row"}
    copy.told.clear()
    copy.follow(LATER + timedelta(hours=1))
    assert copy.told == [], "nothing came: nothing is told again"

    desk = [id for id, (unit, form, _, _) in drawn.items() if (unit, form) == ("C1", "sipas-desk")]
    among = Response.id.in_(desk)
    together = Together(1, NOW.date())
    with database.writing() as session:
        change_dispositions(session, together, Disposition.COUNTED, Disposition.DISTRUSTED,
                            "distrusted", among)  # fmt: skip
    copy.told.clear()
    copy.follow(LATER + timedelta(hours=2)).check(LATER + timedelta(hours=2))
    assert sorted(copy.told) == sorted(("set-aside", ids.of_response(id)) for id in desk)
    whole = Copy(database, replace(WISH, aside=True)).follow().rows
    assert {whole[ids.of_response(id)]["disposition"] for id in desk} == {"distrusted"}

    with database.writing() as session:
        change_dispositions(session, together, Disposition.DISTRUSTED, Disposition.COUNTED, None,
                            among)  # fmt: skip
    copy.follow(LATER + timedelta(hours=3)).check(LATER + timedelta(hours=3))
    assert ids.of_response(desk[0]) in copy.rows

    with database.writing() as session:
        withdraw(session, settings, desk[0])
    copy.told.clear()
    copy.follow(LATER + timedelta(hours=4)).check(LATER + timedelta(hours=4))
    gone, stays = copy.told[0], copy.told[1:]
    assert gone == ("gone", ids.of_response(desk[0]))
    # What was ticked stays under another id until ten leave the figures together.
    assert [what for what, _ in stays] == ["row"] and stays[0][1] != gone[1]

    more = answered(database, province, 8, seed=9)
    came = LATER + timedelta(hours=4, minutes=30)  # the copy was read by a clock that is ahead
    with database.writing() as session:
        received(session, more, came)
    copy.follow(LATER + timedelta(hours=5)).check(LATER + timedelta(hours=5))
    assert {ids.of_response(i) for i, s in more.items() if s[1] == "sipas-desk"} <= set(copy.rows)


def test_withdrawn_words_leave_a_copy(database, province, drawn):
    wish = Wish("sipas-desk", texts=True)
    ids, copy = ExportIds.of(database), Copy(database, wish).follow()
    written = next(id for id, said in drawn.items() if "comment" in said[3])
    assert copy.rows[ids.of_response(written)]["comment"]
    with database.writing() as session:
        withdraw_texts(session, written)
    copy.follow(LATER + timedelta(hours=1)).check()
    assert copy.rows[ids.of_response(written)]["comment"] is None


def test_deletion_by_rule_is_told_as_a_day(database, province, drawn):
    copy = Copy(database).follow()
    first = sorted(row["day"] for row in copy.rows.values())[len(copy.rows) // 2]
    with database.writing() as session:
        note(session).responses_from = first
        old = [id for id, said in drawn.items() if said[2] < first]
        erase(session, old, Erased.RETENTION)
    copy.told.clear()
    copy.follow(LATER + timedelta(hours=1)).check()
    assert [what for what, _ in copy.told] == ["deleted-before"]
    assert min(row["day"] for row in copy.rows.values()) >= first


def test_no_number_of_a_change_is_given_twice_after_a_deletion_by_rule(
    database, province, drawn, settings
):
    """The changes of what is deleted have the highest numbers; who read them misses none later."""
    copy, ids = Copy(database).follow(), ExportIds.of(database)
    desk = sorted((said[2], id) for id, said in drawn.items() if said[1] == "sipas-desk")
    first = desk[len(desk) // 2][0]
    old, stays = [id for day, id in desk if day < first], desk[-1][1]
    with database.writing() as session:
        change_dispositions(session, Together(1, NOW.date()), Disposition.COUNTED,
                            Disposition.DISTRUSTED, "x", Response.id.in_(old))  # fmt: skip
        last = last_number(session)
    copy.follow(LATER + timedelta(hours=1))
    with database.writing() as session:
        note(session).responses_from = first
        for some in (old[:5], old[5:]):
            erase(session, some, Erased.RETENTION)
    with database.reading() as session:
        rows = session.scalars(select(ResponseChange)).all()
    assert last >= len(old) > 5 and [row.number for row in rows] == [last]
    assert (rows[0].response_id, rows[0].export_id, rows[0].unit_id) == (None, "", 0), (
        "nothing is kept of whom it was"
    )
    with database.writing() as session:
        withdraw(session, settings, stays)
    copy.told.clear()
    copy.follow(LATER + timedelta(hours=2)).check(LATER + timedelta(hours=2))
    assert ("gone", ids.of_response(stays)) in copy.told
    assert ids.of_response(stays) not in copy.rows


def test_nobody_is_told_of_others_units(database, province, drawn):
    rights = frozenset({Right.READ_RESPONSES})
    caller = Caller("c2", (Grant(rights, province.units["C2"]),))
    copy = Copy(database, caller=caller).follow()
    assert {row["unit"] for row in copy.rows.values()} == {"C2"}
    assert {row["parent_unit"] for row in copy.rows.values()} == {None}
    copy.told.clear()
    desk = [id for id, (unit, form, _, _) in drawn.items() if (unit, form) == ("C1", "sipas-desk")]
    with database.writing() as session:
        change_dispositions(session, Together(1, NOW.date()), Disposition.COUNTED,
                            Disposition.DISTRUSTED, "x", Response.id.in_(desk))  # fmt: skip
    assert copy.follow(LATER + timedelta(hours=1)).told == []
    with database.reading() as session, pytest.raises(MissingRightForTexts):
        select_responses(session, caller, Wish("sipas-desk", texts=True))


def test_words_are_of_units_on_which_both_rights_are(database, province, drawn):
    caller = Caller(
        "two",
        (
            Grant(frozenset({Right.READ_RESPONSES, Right.READ_SMALL_CELLS})),
            Grant(frozenset({Right.READ_COMMENTS}), province.units["C2"]),
        ),
    )
    copy = Copy(database, Wish("sipas-desk", texts=True), caller).follow()
    assert {row["unit"] for row in copy.rows.values()} == {"C1", "C2"}
    with_words = {row["unit"] for row in copy.rows.values() if row["comment"]}
    assert with_words <= {"C2"}
    everybody = Copy(database, Wish("sipas-desk", texts=True)).follow()
    assert {row["unit"] for row in everybody.rows.values() if row["comment"]} == {"C1"}


def test_a_cursor_of_another_wish_or_a_forged_one_is_refused(database, province, drawn):
    copy = Copy(database).follow()
    for other in (Copy(database, Wish("kiosk-face")), Copy(database, replace(WISH, aside=True))):
        other.cursor = copy.cursor
        with pytest.raises(CursorUnknown) as refused:
            other.follow()
        assert refused.value.field == "cursor"
    for forged in ("x", copy.cursor[:-2], "AAAA" + copy.cursor[4:]):
        with pytest.raises(CursorUnknown):
            Cursor.opened(forged, KEYS)
    assert not [id for id in drawn if id.replace("-", "")[:12] in copy.cursor]


def test_a_cursor_ends_when_the_units_are_others(database, province, drawn):
    """What others' rows were passed over is not missing for good, and what one lost is noticed."""
    grant = Grant(frozenset({Right.READ_RESPONSES}), province.units["C2"])
    wider = Grant(frozenset({Right.READ_RESPONSES}), province.units["C1"])
    words = frozenset({Right.READ_RESPONSES, Right.READ_COMMENTS, Right.READ_SMALL_CELLS})
    with_words, later = Wish("sipas-desk", texts=True), LATER + timedelta(hours=1)

    def refused(copy):
        with pytest.raises(CursorUnknown) as refused:
            copy.follow(later)
        return refused.value.field == "cursor"

    copy = Copy(database, caller=Caller("c", (grant,))).follow()
    copy.caller = Caller("c", (grant, wider))
    assert refused(copy)
    copy.cursor = None
    assert {row["unit"] for row in copy.follow(later).rows.values()} == {"C1", "C2"}
    copy.caller = Caller("c", (grant,))
    assert refused(copy)

    c1, c2 = (province.units[code] for code in ("C1", "C2"))
    copy = Copy(database, with_words, Caller("w", (Grant(words, c2), wider))).follow()
    copy.caller = Caller("w", (Grant(words, c2), Grant(words, c1)))
    assert refused(copy), "words of earlier rows would be missing"

    # A unit that is founded meanwhile has no earlier rows; one that comes below has.
    below = Copy(database, replace(WISH, units=("D1",))).follow()
    whole = Copy(database, caller=Caller("d", (Grant(words, province.units["D1"]),))).follow()
    with database.writing() as session:
        session.add(Unit(code="NEW", kind=UnitKind.COMMUNE, name_vi="Mới", name_en="New",
                         valid_from=date(2020, 1, 1), parent_id=province.units["D1"]))  # fmt: skip
    for each in (below, whole):
        assert each.follow(later).rows
    with database.writing() as session:
        session.get_one(Unit, c2).parent_id = province.units["77"]
    assert refused(below) and refused(whole)


@pytest.mark.parametrize("form", [Format.CSV, Format.PARQUET])
def test_a_folder_goes_on_where_it_was_broken_off(
    database, province, drawn, settings, tmp_path, form
):
    whole, broken = tmp_path / "whole", tmp_path / "broken"

    def run(folder, now=LATER, tell=lambda rows, of: None):
        return export_to_folder(
            database, settings, OWNER, WISH, form, folder, "vi", now, tell=tell, page=7
        )

    told = []
    done = run(whole, tell=lambda rows, of: told.append((rows, of)))
    assert told[-1] == (done.rows, done.rows) and len(told) > 3

    class Killed(Exception):  # noqa: N818
        pass

    def kill(rows, of):
        if rows >= 14:
            raise Killed

    with pytest.raises(Killed):
        run(broken, tell=kill)
    # What a run that was killed wrote beyond what counts is cut off.
    if form is Format.CSV:
        with (broken / "responses-0001.csv").open("ab") as file:
            file.write("một dòng d".encode())
    else:
        (broken / "responses-0001" / "000099.parquet").write_bytes(b"PAR1")
    again = run(broken)
    assert (again.round, again.rows) == (1, done.rows)
    source = "responses-0001.csv" if form is Format.CSV else "responses-0001/*.parquet"
    one, other = (
        duckdb.sql(f"select * from '{folder}/{source}' order by response").fetchall()
        for folder in (whole, broken)
    )
    assert one == other and len(one) == done.rows
    state = json.loads((broken / STATE).read_text())
    assert not [id for id in drawn if id in json.dumps(state)]
    later = run(broken, LATER + timedelta(hours=1))
    assert (later.round, later.rows) == (2, 0)
    with pytest.raises(FolderOfAnotherExport):
        export_to_folder(database, settings, OWNER, Wish("kiosk-face"), form, broken, "vi", LATER)
    assert {"codebook.html", "codebook.xml", "analysis.R"} <= {
        file.name for file in broken.iterdir()
    }


def test_of_two_runs_in_one_folder_at_once_the_second_is_refused(
    database, province, drawn, settings, tmp_path
):
    refused = []

    def run(tell=lambda rows, of: None):
        return export_to_folder(
            database, settings, OWNER, WISH, Format.CSV, tmp_path, "vi", LATER, tell=tell, page=7
        )

    def run_beside(rows, of):
        with pytest.raises(FolderBusy) as busy:
            run()
        refused.append(busy.value.detail("en"))

    done = run(run_beside)
    assert len(refused) > 3 and str(tmp_path) in refused[0]
    assert len(duckdb.sql(f"select * from '{tmp_path}/responses-0001.csv'").fetchall()) == done.rows
    assert run().round == 2, "who comes later is let in"


def test_what_is_stored_long_after_it_was_received_comes_in_a_later_round(
    database, province, drawn
):
    """A database or a machine stood still: its moment of receipt lies in a round that is over."""
    copy = Copy(database).follow()
    prepare = Preparing(database)
    late = prepare(
        body(
            province.points[("C1", "sipas-desk")], {"A1": 1},
            answered_at=(NOW - timedelta(days=1)).isoformat(),
        )
    )  # fmt: skip
    assert late.row.received_at < LATER - SETTLES, "the next round looks for later ones"
    received = NOW - timedelta(seconds=130)
    stored = prepare.store.append([late._replace(row=late.row._replace(received_at=received))])
    assert stored == [Outcome.ACCEPTED]
    later = LATER + timedelta(hours=1)
    copy.follow(later).check(later)
    assert ExportIds.of(database).of_response(late.row.id) in copy.rows


def test_what_is_stored_at_once_is_no_change(database, province, drawn):
    with database.reading() as session:
        assert last_number(session) == 0, "or each response would stand in two places"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_round_reads_in_the_order_of_ids_and_a_later_one_begins_where_news_begin(
    database, province, drawn
):
    """What PostgreSQL does depends on how many rows there are; SQLite decides by the query."""
    with database.reading() as session:
        chosen = select_responses(session, OWNER, WISH, with_changes=True)
        connection, said = session.connection(), []

        def explain(_connection, _cursor, statement, parameters, _context, _many):
            if "received_at" in statement and not statement.startswith("EXPLAIN"):
                plan = f"EXPLAIN QUERY PLAN {statement}"
                said.append(str(connection.exec_driver_sql(plan, parameters).fetchall()))

        event.listen(connection, "before_cursor_execute", explain)
        for since in (None, NOW):
            read_rows(session, chosen, received_after=since, received_to=LATER, limit=7)
    assert len(said) >= 2
    assert all("PRIMARY KEY (id>?" in each and "TEMP B-TREE" not in each for each in said), said
