"""Rows of two files that are equal: a person says whose they are. Imports that are broken off."""

import pytest
from sqlalchemy import select

from app.audit.models import AuditEntry
from app.importing import service
from app.importing.journal import EqualRows, not_ended
from app.importing.mapping import read_mapping
from app.importing.remembering import in_force
from app.importing.service import FileImport
from app.intake.history import History
from app.intake.rollup_rebuild import verify
from app.settings import Settings
from tests.importing.exports import write
from tests.intake.paper_forms import stored

HEAD = ["ngày", "A1"]
FIRST = [HEAD, ["2026-10-24", "4"], ["2026-10-24", "4"], ["2026-10-25", "5"]]
#: One row that the first file has, too.
SECOND = [HEAD, ["2026-10-24", "4"], ["2026-10-26", "3"]]


@pytest.fixture
def mapping(province, tmp_path):
    file = tmp_path / "mapping.yaml"
    file.write_text(
        "{source: Xã, questionnaire: sipas-desk, columns: {ngày: {role: answered_at}, A1: {item:"
        f" A1}}}}, point: {province.points[('D1', 'sipas-desk')]}}}",
        encoding="utf-8",
    )
    return file


@pytest.fixture
def imports(run, mapping, tmp_path):
    """Imports a table by the command: its exit code, and what it said in one line."""

    def one(name, rows, *arguments):
        file = write(tmp_path / name, rows)
        code, said = run("import", file, "--mapping", mapping, *arguments)
        return code, " ".join(said.split())

    return one


def test_equal_rows_of_another_file_wait_until_somebody_says_whose_they_are(imports, database):
    assert imports("a.csv", FIRST, "--store")[0] == 0
    assert "3 duplicate" in imports("a.csv", FIRST, "--store")[1], (
        "the very same file is no question"
    )
    code, said = imports("b.csv", SECOND)
    assert code == 0 and "1 right, 1 duplicate" in said.replace("1 duplicate, 1 right",
                                                                "1 right, 1 duplicate")  # fmt: skip
    assert "1 of 2 rows are equal to rows of earlier files" in said
    code, said = imports("b.csv", SECOND, "--store")
    assert code == 1 and "1 of 2 rows are equal to rows that came before from “Xã”" in said
    assert len(stored(database)) == 3, "nothing was stored"
    code, said = imports("b.csv", SECOND, "--store", "--same")
    assert code == 0 and "1 duplicate" in said and "1 accepted" in said
    with database.reading() as session:
        (row,) = in_force(session)
    assert '"equal_rows":"same"' in row.document, "the next file of the header is no question"
    assert len(stored(database)) == 4 and verify(database) == []


def test_other_peoples_answers_are_counted_each_and_no_file_twice(imports, database):
    imports("a.csv", FIRST, "--store")
    for counted in ("2 accepted", "2 duplicate"):  # also sent again under its name
        code, said = imports("b.csv", SECOND, "--store", "--batch", "Thôn  B")
        assert code == 0 and counted in said
    assert len(stored(database)) == 5 and verify(database) == []
    for name, rows, batch, told in (
        ("c.csv", SECOND, "Thôn C", "This very file was imported on"),
        ("c.csv", FIRST, "Thôn C", "This very file was imported on"),
        ("c.csv", [*SECOND, ["2026-10-24", "4"]], "Thôn B", "is that of another file"),
    ):
        code, said = imports(name, rows, "--store", "--batch", batch)
        assert code == 1 and told in said, said
    # Now no file can hold what earlier ones held: in which of them it would stand nobody knows.
    code, said = imports("c.csv", [HEAD, ["2026-10-26", "3"]], "--store", "--same")
    assert code == 1 and "each by itself" in said, said
    code, said = imports("c.csv", [HEAD, ["2026-10-26", "3"]], "--store", "--batch", "Thôn C")
    assert code == 0 and "1 accepted" in said
    assert len(stored(database)) == 6


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_moment_to_the_second_or_an_id_tells_people_apart_and_nobody_is_asked(
    imports, mapping, database
):
    moments = [HEAD, *([f"2026-10-24 09:00:{n:02}", "4"] for n in range(1, 20)),
               ["2026-10-24 09:01:00", "4"]]  # fmt: skip
    assert imports("a.csv", moments, "--store")[0] == 0
    code, said = imports("b.csv", [*moments, ["2026-10-24 09:02:00", "4"]], "--store")
    assert code == 0 and "20 duplicate" in said and "1 accepted" in said
    written = mapping.read_text("utf-8")
    mapping.write_text(written.replace("A1: {item", "mã: {role: id}, A1: {item"), "utf-8")
    with_ids = [[*HEAD, "mã"], ["2026-10-24", "4", "u1"], ["2026-10-24", "4", "u2"]]
    assert imports("c.csv", with_ids, "--store")[0] == 0
    code, said = imports("d.csv", with_ids[:2], "--store")
    assert code == 0 and "1 duplicate" in said
    code, said = imports("d.csv", with_ids, "--store", "--batch", "x")
    assert code == 1 and "has an id of each response" in said
    code, said = imports("d.csv", with_ids, "--store", "--batch", "x", "--same")
    assert code == 1 and "opposite" in said


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_one_moment_to_the_second_tells_nobody_else_apart(imports, database):
    typed = ["2026-10-24 09:30:07", "5"]
    minutes = [["2026-10-24 09:00", "4"], ["2026-10-24 09:01", "4"]]
    imports("a.csv", [HEAD, typed, *minutes], "--store")
    others = [HEAD, typed, *minutes[:1], ["2026-10-24 10:00", "4"]]
    code, said = imports("b.csv", others, "--store")
    assert code == 1 and "1 of 3 rows are equal to rows that came before" in said
    assert len(stored(database)) == 3


def given(database, database_url, mapping, file):
    settings = Settings(database_url=database_url)
    return FileImport(database, settings, file, read_mapping(mapping.read_text("utf-8")))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_of_two_files_at_once_no_row_is_taken_for_the_others_unsaid(
    mapping, database, database_url, tmp_path, monkeypatch
):
    one, other = write(tmp_path / "a.csv", FIRST), write(tmp_path / "b.csv", SECOND)
    theirs, mine = (given(database, database_url, mapping, file) for file in (one, other))
    tried, dry_run = [], FileImport.dry_run

    def slow(self, *arguments):
        found = dry_run(self, *arguments)
        tried.append(self)
        if tried == [mine]:  # both were tried before either began
            theirs.store("b@tinh.vn")
        return found

    monkeypatch.setattr(FileImport, "dry_run", slow)
    with pytest.raises(EqualRows):
        mine.store("a@tinh.vn")
    assert tried == [mine, theirs, mine] and len(stored(database)) == 3


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_another_import_brings_meanwhile_is_named_and_asked_about_again(
    mapping, database, database_url, tmp_path, monkeypatch
):
    files = [write(tmp_path / "a.csv", FIRST), write(tmp_path / "b.csv", SECOND)]
    theirs, mine = (given(database, database_url, mapping, file) for file in files)
    settle, begun = History.settle, []

    def overtaken(self, group, *, store):
        if store and not begun:
            begun.append(self)
            theirs.store("b@tinh.vn")
        return settle(self, group, store=store)

    monkeypatch.setattr(History, "settle", overtaken)
    imported = mine.store("a@tinh.vn")
    assert imported.counts == {"wrong": 1, "accepted": 1}
    ((row,), (error,)) = imported.wrong, imported.wrong[0].errors
    assert row.number == 2 and "an equal row came from another import" in error.detail("en")
    with pytest.raises(EqualRows):
        mine.store("a@tinh.vn")
    assert len(stored(database)) == 4 and verify(database) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_rows_that_had_mistakes_are_not_known_when_the_file_comes_again(imports, mapping, database):
    mended = mapping.read_text("utf-8")
    rows = [HEAD, ["2026-10-24", "4"], ["2026-10-26", "rất tốt"]]
    code, said = imports("a.csv", rows, "--store")
    assert code == 1 and "1 rows have mistakes" in said
    mapping.write_text(mended.replace("{item: A1}", "{item: A1, words: {rất tốt: 5}}"), "utf-8")
    assert imports("b.csv", [HEAD, ["2026-10-26", "rất tốt"]], "--store")[0] == 0
    code, said = imports("a.csv", rows, "--store")
    assert code == 1 and "2 of 2 rows are equal to rows that came before" in said
    assert len(stored(database)) == 2


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_file_that_was_saved_anew_is_not_counted_twice_under_another_name(imports, database):
    rows = [[f"2026-10-{day:02}", "4"] for day in range(1, 12)]
    imports("a.csv", [HEAD, *rows], "--store", "--batch", "Thôn A")
    anew = [HEAD, *rows[::-1]]
    assert "11 of 11 rows are equal" in imports("b.csv", anew, "--batch", "Thôn B")[1]
    code, said = imports("b.csv", anew, "--store", "--batch", "Thôn B")
    assert code == 1 and "11 of 11 rows are equal to rows that came before from “Xã”" in said
    others = [[f"2026-10-{day:02}", "2"] for day in range(1, 12)]
    code, said = imports("c.csv", [HEAD, *rows, *others], "--store", "--batch", "Thôn C")
    assert code == 0 and "22 accepted" in said, "half of a file may be like another"
    # Broken off or not, the very same file is no other one.
    assert imports("a.csv", [HEAD, *rows], "--store", "--batch", "Thôn A")[0] == 0
    assert len(stored(database)) == 33


class Killed(BaseException):
    """The process is no more."""


def test_an_import_that_is_broken_off_is_noted_and_goes_on(
    mapping, database, database_url, tmp_path, monkeypatch
):
    monkeypatch.setattr(service, "_GROUP", 2)
    file = write(tmp_path / "a.csv", [*FIRST, *FIRST[1:]])

    def entries():
        with database.reading() as session:
            found = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
            return [e.action for e in found if e.action.startswith("responses.import")]

    settle, groups = History.settle, []

    def dying(self, group, *, store):
        if store:
            groups.append(group)
            if len(groups) == 2:
                raise Killed
        return settle(self, group, store=store)

    with monkeypatch.context() as patch:
        patch.setattr(History, "settle", dying)
        with pytest.raises(Killed):
            given(database, database_url, mapping, file).store("an@tinh.vn")
    assert len(stored(database)) == 2 and entries() == ["responses.import_begin"]
    with database.reading() as session:
        (row,) = not_ended(session)
    assert (row.name, row.source, row.begun_by) == ("a.csv", "Xã", "an@tinh.vn")
    imported = given(database, database_url, mapping, file).store("an@tinh.vn")
    assert imported.counts == {"duplicate": 2, "accepted": 4}
    assert entries() == ["responses.import_begin", "responses.import_begin", "responses.import"]
    with database.reading() as session:
        assert not_ended(session) == []
    assert len(stored(database)) == 6 and verify(database) == []
