"""Each format, read by a program that we did not write, has what was answered and its labels."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from datetime import datetime
from xml.etree import ElementTree

import duckdb
import openpyxl
import pyreadstat
import pytest
from sqlalchemy import select

from app.access.callers import owner
from app.audit.models import AuditEntry
from app.export.bundle import prepare, stream, write_whole
from app.export.columns import Role, described
from app.export.formats import Format, TooLargeForFormat
from app.export.labelled import reckoned_bytes
from app.export.reading import batches
from app.export.selection import Wish, select_responses
from app.figures.query import Cluster, Interval, Key, Query
from app.figures.rates import find
from app.figures.release import everything
from app.intake.export_ids import ExportIds
from app.messages.words import Words
from app.settings import Settings
from app.web.staff.audit_words import AuditWords
from tests.export.conftest import LATER, NOW, SIPAS, WORDS
from tests.office import SHEETS, converted, needs_office, number

OWNER = owner("a test")
WISH = Wish("sipas-desk", texts=True)
needs_r = pytest.mark.skipif(
    shutil.which("Rscript") is None and not os.environ.get("HAILONG_REQUIRE_ALL"),
    reason="R is not installed",
)


@pytest.fixture(scope="module")
def unpacked(world, tmp_path_factory):
    """The folder of an export by format, made when it is first wanted."""
    database, _, _ = world
    made = {}

    def export(form, language="vi", wish=WISH):
        if (form, language, wish) not in made:
            folder = tmp_path_factory.mktemp(form.value)
            ready = prepare(database, settings_of(database), OWNER, wish, form, language, NOW)
            content = b"".join(stream(database, ready))
            zipfile.ZipFile(io.BytesIO(content)).extractall(folder)
            made[form, language, wish] = folder
        return made[form, language, wish]

    return export


def settings_of(database):
    return Settings(database_url=database.url.render_as_string(hide_password=False), cache_s=0)


def expected(world):
    """What was answered, by the export's id."""
    database, _, drawn = world
    ids = ExportIds.of(database)
    return {ids.of_response(id): said for id, said in drawn.items() if said[1] == "sipas-desk"}


def check(rows, world, number=lambda value: value):
    """That rows by column names have what was drawn."""
    wanted = expected(world)
    assert {row["response"] for row in rows} == set(wanted) and len(rows) == len(wanted)
    for row in rows:
        unit, _, day, answers = wanted[row["response"]]
        said = row["day"].date() if isinstance(row["day"], datetime) else row["day"]
        assert (row["unit"], str(said)) == (unit, day.isoformat())
        for item in SIPAS:
            assert number(row[item]) == answers.get(item), item


def test_csv_is_read_by_duckdb_and_by_python(world, unpacked):
    file = unpacked(Format.CSV) / "responses.csv"
    found = duckdb.sql(f"select * from read_csv('{file}', header=true)")
    rows = [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]
    check(rows, world)
    content = file.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    plain = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    words = {row["comment"] for row in plain} - {""}
    assert words == {f"'{WORDS}"}, "what Excel would compute is quoted, its lines are kept"


def test_the_vietnamese_csv_has_semicolons_and_commas(world, unpacked):
    file = unpacked(Format.CSV_VI) / "responses.csv"
    text = file.read_bytes().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))
    check(rows, world, lambda value: int(value) if value else None)
    found = duckdb.sql(
        f"select sum(weight) from read_csv('{file}', delim=';', decimal_separator=',', header=true)"
    )
    assert found.fetchall() == [(len(rows),)]


def test_parquet_is_read_by_duckdb(world, unpacked):
    file = unpacked(Format.PARQUET) / "responses.parquet"
    found = duckdb.sql(f"select * from '{file}'")
    rows = [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]
    check(rows, world)
    assert not {"UUID", "TIME", "INTERVAL", "TIMESTAMP_NS", "HUGEINT"} & set(map(str, found.types))


def test_xlsx_is_read_by_openpyxl_and_divided_at_its_rows(world, unpacked, tmp_path):
    database, _, _ = world
    ready = prepare(database, settings_of(database), OWNER, WISH, Format.XLSX, "vi", NOW)
    file = tmp_path / "responses.xlsx"
    write_whole(
        file, ready.book, batches(database, ready.selection, ExportIds.of(database)), sheet_rows=21
    )
    book = openpyxl.load_workbook(file)
    sheets = [each for each in book if each.title.startswith("Phiếu")]
    assert [each.max_row for each in sheets] == [21, 21, 21], "60 responses and three headers"
    rows = []
    for sheet in sheets:
        head, *lines = sheet.iter_rows(values_only=True)
        rows += [dict(zip(head, line, strict=True)) for line in lines]
    check(rows, world)
    assert {row["comment"] for row in rows} - {None} == {WORDS}, "a text, and no formula"
    assert not [c for sheet in sheets for line in sheet for c in line if c.data_type == "f"]
    assert book["Cột"]["A2"].value == "response"
    whole = openpyxl.load_workbook(unpacked(Format.XLSX) / "responses.xlsx", read_only=True)
    assert whole.sheetnames == ["Phiếu", "Cột", "Giá trị"]


@needs_office
def test_xlsx_is_read_by_libreoffice_cell_for_cell(world, unpacked, tmp_path):
    file = unpacked(Format.XLSX) / "responses.xlsx"
    sheets = {each.stem.removeprefix("responses-"): each
              for each in converted([file], SHEETS, tmp_path)}  # fmt: skip
    book = openpyxl.load_workbook(file)
    assert set(sheets) == set(book.sheetnames)
    for name, sheet in sheets.items():
        with sheet.open(encoding="utf-8", newline="") as stream:
            theirs = list(csv.reader(stream))
        for line, right in zip(theirs, book[name].iter_rows(values_only=True), strict=True):
            for cell, value in zip(line, right, strict=True):
                if isinstance(value, int | float):
                    assert number(cell) == pytest.approx(value, rel=1e-12), (name, line)
                else:
                    as_typed = f"{value:%m/%d/%Y}" if isinstance(value, datetime) else value
                    assert cell == (as_typed or ""), (name, line)
    head, *lines = csv.reader(io.StringIO(sheets["Phiếu"].read_text("utf-8"), newline=""))
    rows = [dict(zip(head, line, strict=True)) for line in lines]
    for row in rows:
        row["day"] = datetime.strptime(row["day"], "%m/%d/%Y")
    check(rows, world, lambda value: int(value) if value else None)
    assert {row["comment"] for row in rows} - {""} == {WORDS}, "a text, and no formula's result"


@pytest.mark.parametrize("form", [Format.SPSS, Format.STATA])
def test_spss_and_stata_files_have_answers_and_labels(world, unpacked, form):
    file = unpacked(form) / form.file_name
    read = pyreadstat.read_sav if form is Format.SPSS else pyreadstat.read_dta
    frame, meta = read(str(file))
    rows = frame.to_dict("records")
    check(rows, world, lambda value: None if value != value else value)
    assert meta.variable_value_labels["A1"][5.0] == "Rất hài lòng"
    assert meta.column_names_to_labels["A1"] == "Nơi ngồi chờ có đủ chỗ ngồi"
    assert meta.column_names_to_labels["weight"] == "Quyền số; bằng 1 như trong các tỷ lệ"
    assert {row["comment"] for row in rows} - {""} == {WORDS}
    if form is Format.STATA:  # 119 is read by Stata/MP alone
        assert file.read_bytes().startswith(b"<stata_dta><header><release>118</release>")


LABELS_IN_R = """
said <- lapply(c(sav = "haven::read_sav", dta = "haven::read_dta"), function(reader) {
  file <- commandArgs(TRUE)[if (reader == "haven::read_sav") 1 else 2]
  x <- eval(parse(text = reader))(file)
  list(
    labels = lapply(x, function(column) attr(column, "label")),
    levels = lapply(x, function(column) { l <- attr(column, "labels")
      if (is.null(l)) NULL else as.list(setNames(as.numeric(l), names(l))) }),
    values = lapply(as.data.frame(haven::zap_labels(x)), function(column)
      if (inherits(column, c("Date", "POSIXct"))) format(column, "%Y-%m-%d") else column)
  )
})
cat("\n", jsonlite::toJSON(said, digits = NA, na = "null", auto_unbox = TRUE, null = "null"),
    "\n", sep = "")
"""


@needs_r
def test_rs_haven_reads_the_values_and_labels_of_spss_and_stata_files(world, unpacked, tmp_path):
    files = [unpacked(form) / form.file_name for form in (Format.SPSS, Format.STATA)]
    script = tmp_path / "labels.R"
    script.write_text(LABELS_IN_R, "utf-8")
    ran = subprocess.run(
        ["Rscript", script, *files], capture_output=True, text=True, timeout=300, check=False
    )
    assert ran.returncode == 0, ran.stderr
    theirs = json.loads(ran.stdout.splitlines()[-1])
    for kind, read in (("sav", pyreadstat.read_sav), ("dta", pyreadstat.read_dta)):
        found = theirs[kind]
        frame, meta = read(str(files[kind == "dta"]))
        columns = found["values"]
        rows = [
            dict(zip(columns, line, strict=True)) for line in zip(*columns.values(), strict=True)
        ]
        check(rows, world)
        assert list(columns) == list(frame.columns)
        assert {row["comment"] for row in rows} - {""} == {WORDS}
        assert found["labels"] == meta.column_names_to_labels
        levels = {name: of for name, of in found["levels"].items() if of}
        assert levels == {
            name: {label: value for value, label in of.items()}
            for name, of in meta.variable_value_labels.items()
        }
        assert levels["A1"]["Rất hài lòng"] == 5


@needs_r
def test_r_gives_our_rates_errors_and_intervals_to_the_digit(world, unpacked):
    database, _, _ = world
    with database.reading() as session:

        def asked(**more):
            query = Query(questionnaire="sipas-desk", interval=Interval.R_XLOGIT, **more)
            return find(session, query, OWNER, everything(LATER.date())).rates[0]

        people, days = asked(units=["77"]), asked(units=["77"], cluster=Cluster.DAY)
        units = asked(by=[Key.UNIT], descendants=False)
    sources = {Format.CSV: "", Format.CSV_VI: "", Format.SPSS: "haven", Format.STATA: "haven"}
    for form in sources:
        folder = unpacked(form)
        script = (folder / "analysis.R").read_text("utf-8") + R_MORE
        ran = subprocess.run(
            ["Rscript", "-e", script], cwd=folder, capture_output=True, text=True, timeout=300,
            check=False,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        theirs = json.loads(ran.stdout.splitlines()[-1])
        for name, ours in (("people", people), ("days", days)):
            assert theirs[name][:4] == pytest.approx(
                [ours.ratio.estimate[0], ours.ratio.standard_error[0], ours.low[0], ours.high[0]],
                rel=1e-12,
            ), (form, name)
        for k, unit in enumerate(units.unit):
            if unit.code in ("C1", "C2"):
                assert theirs[unit.code][:4] == pytest.approx(
                    [units.ratio.estimate[k], units.ratio.standard_error[k], units.low[k],
                     units.high[k]], rel=1e-12,
                ), unit.code  # fmt: skip
        # The same by svyciprop over single answers, as R's book has it.
        assert theirs["xlogit"] == pytest.approx(theirs["people"][2:4], rel=1e-9)


R_MORE = """
single <- data.frame(id = rep(seq_len(nrow(x)), x$index_answers),
  y = unlist(Map(function(a, m) rep(1:0, c(a, m - a)), x$index_satisfied, x$index_answers)))
xlogit <- attr(svyciprop(~I(y == 1), svydesign(ids = ~id, weights = ~1, data = single),
                         method = "xlogit", df = nrow(x) - 1), "ci")
said <- c(list(people = unname(rate(people)), days = unname(rate(days)),
               xlogit = as.numeric(xlogit)), lapply(as.data.frame(by_unit), unname))
cat("\\n", jsonlite::toJSON(said, digits = NA), "\\n", sep = "")
"""


@pytest.mark.parametrize("form", list(Format))
def test_the_script_for_python_gives_our_rates(world, unpacked, form):
    database, _, _ = world
    with database.reading() as session:
        query = Query(questionnaire="sipas-desk", interval=Interval.R_XLOGIT, units=["77"])
        ours = find(session, query, OWNER, everything(LATER.date())).rates[0]
    folder = unpacked(form)
    said = "import analysis; print(list(map(float, analysis.rate(analysis.x).values())))"
    ran = subprocess.run(
        [sys.executable, "-c", said], cwd=folder, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)[:4] == pytest.approx(
        [ours.ratio.estimate[0], ours.ratio.standard_error[0], ours.low[0], ours.high[0]]
    )


def test_the_codebooks_tell_the_same_of_every_column(world, unpacked):
    folder = unpacked(Format.CSV)
    database, _, _ = world
    ready = prepare(database, settings_of(database), OWNER, WISH, Format.CSV, "vi", NOW)
    schema = ready.selection.columns.schema
    space = {"d": "ddi:codebook:2_5"}
    root = ElementTree.parse(folder / "codebook.xml").getroot()
    assert root.tag == "{ddi:codebook:2_5}codeBook" and root.get("version") == "2.5"
    told = {each.get("name"): each for each in root.findall(".//d:var", space)}
    web = json.loads((folder / "responses.csv-metadata.json").read_text("utf-8"))
    by_web = {each["name"]: each for each in web["tableSchema"]["columns"]}
    page = (folder / "codebook.html").read_text("utf-8")
    header = (folder / "responses.csv").read_text("utf-8-sig").splitlines()[0]
    assert [name.strip('"') for name in header.split(",")] == schema.names
    assert list(told) == list(by_web) == schema.names
    for each in schema:
        what = described(each)
        labels = [x.text for x in told[each.name].findall("d:labl", space)]
        assert labels == [what.label["vi"], what.label["en"]]
        codes = [int(x.text) for x in told[each.name].findall("d:catgry/d:catValu", space)]
        assert codes == [value.value for value in what.values]
        assert by_web[each.name]["dc:description"][0]["@value"] == what.label["vi"]
        assert f"<code>{each.name}</code>" in page
        concepts = by_web[each.name].get("skos:member", [])
        assert [concept["skos:notation"] for concept in concepts] == codes
    assert "svydesign(ids = ~1, weights = ~weight, data = x)" in page
    assert root.findtext(".//d:caseQnty", namespaces=space) == str(len(expected(world)))
    assert told["weight"].get("wgt") == "wgt"


def test_choices_no_opinion_and_missing_answers_are_told_apart(world):
    database, _, drawn = world
    ids = ExportIds.of(database)
    rows = {}
    for form in ("kiosk-face", "moh-inpatient"):
        ready = prepare(database, settings_of(database), OWNER, Wish(form), Format.CSV, "vi", NOW)
        for batch in batches(database, ready.selection, ids):
            rows |= {row["response"]: row for row in batch.to_pylist()}
        assert not [f for f in ready.selection.columns.schema if described(f).role is Role.TEXT]
    for id, (_, form, _, answers) in drawn.items():
        if form == "sipas-desk":
            continue
        row = rows[ids.of_response(id)]
        if form == "kiosk-face":
            chosen = answers.get("reason")
            for option in range(1, 7):
                assert row[f"reason_{option}"] == (int(option in chosen) if chosen else None)
        else:
            assert (row["B2"], row["B2_na"]) == (None, 1)
            assert (row["A1"], row["A1_na"]) == (answers["A1"], 0)
            assert (row["C1"], row["C1_na"]) == (None, None)


def test_what_never_leaves_does_not(world, unpacked):
    database, _, drawn = world
    for form in (Format.CSV, Format.PARQUET, Format.SPSS):
        content = b"".join(file.read_bytes() for file in unpacked(form).iterdir()
                           if file.is_file())  # fmt: skip
        for id in drawn:
            for sign in (id, id.replace("-", "")[:12], id.replace("-", "")):
                assert sign.encode() not in content
    ready = prepare(database, settings_of(database), OWNER, WISH, Format.CSV, "vi", NOW)
    names = set(ready.selection.columns.schema.names)
    assert not names & {"id", "point_id", "answered_at", "claimed_at", "received_at",
                        "credential_id", "texts_hash"}  # fmt: skip


def test_reading_stands_in_the_audit_log_with_words_and_days(world):
    database, _, _ = world
    prepare(database, settings_of(database), OWNER, WISH, Format.CSV, "vi", NOW)
    with database.reading() as session:
        entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert (entry.action, entry.subject, entry.actor) == (
        "responses.export", "sipas-desk", "a test",
    )  # fmt: skip
    said = json.loads(entry.details)
    assert (said["texts"], said["aside"], said["version"], said["channels"]) == (
        True, False, None, None,
    )  # fmt: skip
    with database.reading() as session:
        versions = select_responses(session, OWNER, WISH).versions
    wish = Wish("sipas-desk", versions[0].form.version, channels=("qr", "kiosk"), aside=True)
    prepare(database, settings_of(database), OWNER, wish, Format.CSV, "vi", NOW)
    with database.reading() as session:
        entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        shown = AuditWords(Words("en"), NOW.tzinfo, {}, {}).entry(entry).details
    assert json.loads(entry.details) | {
        "texts": False, "aside": True, "version": wish.version, "channels": ["kiosk", "qr"],
    } == json.loads(entry.details)  # fmt: skip
    labels = {label for label, _ in shown}
    assert {"with what is set aside", "channels", "version"} <= labels


def test_too_much_for_memory_is_refused_before_anything_is_read(world):
    database, _, _ = world
    small = settings_of(database).model_copy(update={"export_memory_mb": 0})
    with pytest.raises(TooLargeForFormat) as refused:
        prepare(database, small, OWNER, WISH, Format.STATA, "vi", NOW)
    assert refused.value.field == "format" and "Parquet" in refused.value.detail("en")
    assert reckoned_bytes(1000, 50) > 1000 * 50 * 8
    prepare(database, small, OWNER, WISH, Format.PARQUET, "vi", NOW)
