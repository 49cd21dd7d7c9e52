"""Files of other programs through the commands, into the one intake."""

import csv

import yaml
from sqlalchemy import select

from app.audit.models import AuditEntry
from app.importing.remembering import in_force
from app.intake.models import Response, ResponseText
from app.intake.rollup_rebuild import verify
from tests.importing.exports import GOOGLE, KOBO, write
from tests.intake.paper_forms import stored


def decide(file, **changes):
    """A person looks at the proposal, and leaves out what it is not sure of."""
    mapping = yaml.safe_load(file.read_text(encoding="utf-8"))
    mapping |= changes
    file.write_text(yaml.safe_dump(mapping, allow_unicode=True), encoding="utf-8")


def test_a_file_is_proposed_tried_imported_remembered_and_safe_to_run_twice(
    run, province, database, tmp_path
):
    file = write(tmp_path / "Phiếu.csv", GOOGLE)
    mapping = tmp_path / "mapping.yaml"
    point = province.points[("D1", "sipas-desk")]
    arguments = ("--questionnaire", "sipas-desk", "--source", "Zalo", "--point", point)
    code, said = run("mapping", file, *arguments)
    assert code == 0 and "# Decide about these" in said and "Ý kiến khác" in said
    noted = [[*row[:-1], row[-1] and "Gọi 0912 345 678"] for row in GOOGLE[1:]]
    code, said = run("mapping", write(tmp_path / "b.csv", [GOOGLE[0], *noted]), *arguments)
    assert "Gọi" in said and "0912" not in said  # what stands on a screen or in a file stays
    assert run("mapping", file, *arguments, "--out", mapping)[0] == 0
    code, said = run("import", file, "--mapping", mapping)
    assert code == 1 and "Nobody has decided about column “Ý kiến khác”" in said.replace("\n", " ")
    columns = yaml.safe_load(mapping.read_text("utf-8"))["columns"]
    decide(mapping, columns={**columns, "Ý kiến khác": {"item": "comment"}})
    code, said = run("import", file, "--mapping", mapping)
    assert code == 0 and "2 right" in said and "nothing was stored" in said
    assert stored(database) == []
    code, said = run("import", file)
    assert code == 1 and "no mapping is remembered" in said
    code, said = run("import", file, "--mapping", mapping, "--store")
    assert code == 0 and "2 accepted" in said
    code, said = run("import", file, "--store")  # by its header
    assert code == 0 and "2 duplicate" in said
    more = [*GOOGLE, ["2026/10/25 9:00:07 SA GMT+7", "Hài lòng", "", "", "", "", ""]]
    code, said = run("import", write(tmp_path / "later.csv", more), "--store")
    assert code == 0 and "1 accepted" in said and "2 duplicate" in said
    assert len(stored(database)) == 3 and verify(database) == []
    with database.reading() as session:
        assert [row.source for row in in_force(session)] == ["Zalo"]
        logged = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        entries = [e for e in logged if e.action in ("mapping.set", "responses.import")]
    assert [e.action for e in entries] == ["mapping.set", *["responses.import"] * 3]
    assert '"accepted":2' in entries[1].details.replace(" ", "")


def test_comments_are_masked_before_they_are_stored_and_shown(run, province, database, tmp_path):
    rows = [["Timestamp", "A1", "comment"], ["2026-10-24 09:00", "4", "Gọi tôi 0912 345 678 nhé"]]
    file = write(tmp_path / "a.csv", rows)
    mapping = tmp_path / "m.yaml"
    point = province.points[("D1", "sipas-desk")]
    run("mapping", file, "--questionnaire", "sipas-desk", "--point", point, "--out", mapping)
    for arguments in (["--mapping", mapping], ["--store", "--mapping", mapping]):
        code, said = run("import", file, *arguments)
        assert code == 0 and "0912" not in said
    with database.reading() as session:
        (text,) = session.scalars(select(ResponseText)).all()
    assert "0912" not in text.body and text.body.startswith("Gọi tôi")


def test_wrong_rows_are_named_and_the_others_taken(run, province, database, tmp_path):
    point = province.points[("D1", "sipas-desk")]
    head = ["Timestamp", "mã điểm", "A1", "trips", "_uuid"]
    rows = [
        head,
        ["2026-10-24 09:00", point, "4", "", "a"],
        ["2026-10-24 09:00", point, "9", "1", "b"],
        ["2026-10-24 09:00", "NOSUCHX", "4", "1", "c"],
        ["2199-01-01 09:00", point, "4", "1", "d"],
        ["2026-10-24 09:00", point, "5", "", "a"],
        ["2026-10-24 09:00", point, "4", "1", ""],
        ["2011-10-24 09:00", point, "4", "1", "e"],
    ]
    file = write(tmp_path / "a.xlsx", rows)
    mapping = tmp_path / "m.yaml"
    run("mapping", file, "--questionnaire", "sipas-desk", "--out", mapping)
    for arguments in ([], ["--store"]):
        code, said = run("import", file, "--mapping", mapping, *arguments)
        assert code == 1 and "6 wrong" in said, said
    errors = file.with_name("a.xlsx.errors.csv")
    with errors.open(encoding="utf-8-sig", newline="") as stream:
        found = {row["cell"]: row for row in csv.DictReader(stream)}
    assert set(found) == {"C3", "B4", "A5", "E6", "E7", "B8"}
    assert found["C3"]["vi"].startswith("Trang tính “Phiếu”, Dòng 3, cột “A1” (ô C3):")
    assert "already with other content" in found["E6"]["en"]
    assert [row.answered_at.year for row in stored(database)] == [2026]


def test_nothing_is_stored_of_a_file_that_cannot_be_read_to_its_end(
    run, province, database, tmp_path
):
    file = write(tmp_path / "a.csv", KOBO)
    mapping = tmp_path / "m.yaml"
    point = province.points[("D1", "sipas-desk")]
    run("mapping", file, "--questionnaire", "sipas-desk", "--point", point, "--out", mapping)
    with file.open("ab") as stream:
        stream.write(b'x,"\xff\xfe,1\n')
    code, said = run("import", file, "--mapping", mapping, "--store")
    assert code == 1 and "is not UTF-8" in said.replace("\n", " ")
    with database.reading() as session:
        assert session.scalars(select(Response)).all() == []
        assert in_force(session) == []


def test_a_mapping_that_is_wrong_is_told_by_its_fields(run, province, tmp_path):
    file = write(tmp_path / "a.csv", KOBO)
    mapping = tmp_path / "m.yaml"
    for written, told in (
        ("source: [", "Line 1 of the mapping is no YAML"),
        ("source: x\nquestionnaire: sipas-desk\ncolumns: {end: {role: nose}}", "columns.end.role"),
        ("source: x\nquestionnaire: nope\ncolumns: {end: {role: id}}", "nope"),
        ("- 1", "nothing was imported"),
    ):
        mapping.write_text(written, encoding="utf-8")
        code, said = run("import", file, "--mapping", mapping)
        assert code == 1 and told in said.replace("\n", " "), said
