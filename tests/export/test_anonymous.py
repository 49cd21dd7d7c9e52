"""Anonymised responses: ten alike, the figures' rates, one edition for all, and who may have it."""

from __future__ import annotations

import csv
import io
import zipfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext
from datetime import UTC, datetime, timedelta
from threading import Event

import httpx
import numpy as np
import pyarrow.parquet
import pytest
from sqlalchemy import select, update

from app.access.callers import owner
from app.access.models import Right
from app.access.roles import Role
from app.audit.models import AuditEntry
from app.db import Database
from app.export import anonymising
from app.export.anonymous import AnonymousWish, prepare_anonymous
from app.export.anonymous_columns import DESIGN
from app.export.formats import Format
from app.figures.models import AnonymousQuarter
from app.figures.periods import Step, label, ordinals, span
from app.intake.models import Disposition, Response
from app.problems import Problem
from app.registry.models import Channel, SurveyPoint, Unit
from app.registry.points import current_code, open_point
from app.settings import Settings
from tests.conftest import serving
from tests.intake.test_store import Preparing
from tests.small_province import SmallProvince, body

NOW = datetime.now(UTC)
#: The last quarter that is over for long enough, by day, and the one before.
_NUMBER = int(ordinals(np.array([NOW.date() - timedelta(days=31)], dtype="datetime64[D]"),
                       Step.QUARTER)[0])  # fmt: skip
LATER, EARLIER = (span(label(_NUMBER - back, Step.QUARTER)) for back in (1, 2))
WARD = "moh-inpatient"
KNOWN = [name for name, _, known in DESIGN if known] + ["sex", "age", "insurance", "nights"]
URL = "/api/v1/exports/anonymous"


def answered(database, province, seed=3):
    """Patients of two wards, one of them with few, and of two quarters."""
    rng = np.random.default_rng(seed)
    with database.writing() as session:
        hospital = session.get_one(Unit, province.units["H1"])
        more = Unit(code="W2", kind="ward", name_vi="Khoa 2", name_en="Ward 2", parent=hospital,
                    valid_from=hospital.valid_from)  # fmt: skip
        session.add(more)
        session.flush()
        province.units["W2"] = more.id
        points = {(unit, channel): current_code(open_point(
            session, session.get_one(Unit, province.units[unit]), WARD, Channel(channel), unit))
            for unit in ("W1", "W2", "H1") for channel in ("kiosk", "paper")}  # fmt: skip
    prepare, group = Preparing(database), []
    for quarter in (EARLIER, LATER):
        for unit, people in (("W1", 130), ("W2", 6), ("H1", 30)):
            for _ in range(people):
                moment = datetime(quarter.first.year, quarter.first.month, 5, 2, tzinfo=UTC)
                answers = {f"A{i}": int(rng.integers(1, 6)) for i in range(1, 5)
                           if rng.random() < 0.9}  # fmt: skip
                answers |= {"sex": int(rng.choice([1, 2, 3], p=(0.45, 0.53, 0.02)))}
                answers |= {"age": int(rng.integers(1, 100))} if rng.random() < 0.9 else {}
                answers |= {"insurance": int(rng.integers(1, 3)), "nights": int(rng.integers(0, 9))}
                answers |= {"G2": 6, "G2_other": "Ông Nguyễn Văn A"} if rng.random() < 0.1 else {}
                sent = body(
                    points[unit, str(rng.choice(["kiosk", "paper"]))], answers, questionnaire=WARD,
                    answered_at=(moment + timedelta(days=int(rng.integers(0, 70)))).isoformat(),
                )  # fmt: skip
                group.append(prepare(sent))
    prepare.store.append(group)
    with database.writing() as session:
        session.execute(update(Response).values(received_at=NOW - timedelta(days=2)))


def rows_of(database, settings=None, caller=None, form=Format.PARQUET, **wish):
    found = prepare_anonymous(
        database, settings or Settings(), caller or owner("a test"),
        AnonymousWish(WARD, **wish), form, "vi", NOW,
    )  # fmt: skip
    return found.table.to_pylist(), found.book


def labels(rows):
    return Counter(tuple(row[name] for name in KNOWN) for row in rows)


def test_ten_are_alike_and_nobody_is_left_out_who_need_not_be(database, province):
    answered(database, province)
    rows, book = rows_of(database)
    assert min(labels(rows).values()) >= 10
    assert book.anonymity.quarters == (EARLIER.name, LATER.name) and len(rows) == 2 * 166
    assert book.anonymity.left_out == 0 and book.rows == len(rows)
    # W2 has too few: they are with the hospital's own, or with the hospital whole.
    assert {(row["unit"], row["unit_extent"]) for row in rows} >= {("W1", "whole")}
    assert "W2" not in {row["unit"] for row in rows}
    assert len({row["sex"] for row in rows}) > 2 and 3 not in {row["sex"] for row in rows}
    assert any(row["age"] and row["age"][0].isdigit() for row in rows)
    names = set(rows[0])
    assert not names & {"response", "day", "duration_s", "language", "partial", "comment",
                        "G2_other", "unit_id", "sex_na", "age_na"}  # fmt: skip
    assert {row["G2"] for row in rows} == {None, 6}  # an opinion, as it was given
    withheld = {each.name: each.withheld for each in book.anonymity.columns}
    assert withheld["sex"] == sum(row["sex"] == -1 for row in rows)
    assert withheld["age"] == sum(row["age"] == "*" for row in rows)
    # The order tells nothing of when somebody answered: it is that of what stands in the rows.
    by_quarter = [row for row in rows if row["quarter"] == LATER.name]
    units = [row["unit"] for row in by_quarter]
    assert units == sorted(units)


def test_rates_of_a_unit_and_quarter_are_those_of_the_figures(database, province, settings):
    answered(database, province)
    rows, _ = rows_of(database)
    with serving(settings) as client:
        for quarter in (EARLIER, LATER):
            asked = {"questionnaire": WARD, "unit": "W1", "from": str(quarter.first),
                     "to": str(quarter.last)}  # fmt: skip
            answer = client.get("/api/v1/satisfaction", params=asked,
                                headers=province.public_reader())  # fmt: skip
            (figure,) = answer.json()["rows"]
            mine = [row for row in rows if (row["unit"], row["quarter"]) == ("W1", quarter.name)]
            satisfied, given = (sum(row[f"index_{name}"] for row in mine)
                                for name in ("satisfied", "answers"))  # fmt: skip
            assert figure["rate"] == pytest.approx(satisfied / given)
            assert figure["respondents"] == sum(row["index_answers"] > 0 for row in mine)


def test_a_quarter_is_made_for_all_alike_and_then_stands(database, province):
    answered(database, province)
    first, _ = rows_of(database, last=EARLIER.last)
    assert {row["quarter"] for row in first} == {EARLIER.name}
    with database.writing() as session:
        assert set(session.scalars(select(AnonymousQuarter.quarter))) == {EARLIER.name, LATER.name}
        session.execute(update(Response).values(disposition=Disposition.QUARANTINED.value))
    again, _ = rows_of(database, Settings(anonymous_least=50), last=EARLIER.last)
    assert again == first
    with database.reading() as session:
        made = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "responses.anonymise")
        ).all()
    assert len(made) == 2
    # By unit whole classes are taken, and none is divided.
    everything, _ = rows_of(database)
    ward, book = rows_of(database, units=("W1",))
    assert book.anonymity.left_out is None  # that of all units says nothing of one
    assert labels(ward).items() <= labels(everything).items() and ward
    hospital, _ = rows_of(database, units=("H1",))
    assert labels(hospital).items() <= labels(everything).items()
    assert rows_of(database, units=("D1",))[0] == []
    with pytest.raises(Problem, match="no-such"):
        rows_of(database, units=("no-such",))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_quarter_that_runs_or_has_just_ended_is_not_there(database, province):
    answered(database, province)
    days = (NOW.date() - LATER.last).days
    rows, book = rows_of(database, Settings(anonymous_after_days=days + 1))
    assert book.anonymity.quarters == (EARLIER.name,)
    assert {row["quarter"] for row in rows} == {EARLIER.name}
    assert rows_of(database, first=LATER.first + timedelta(days=1))[0] == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_format_has_the_rows_and_says_what_was_done(database, province, hailong, tmp_path):
    answered(database, province)
    sizes = {}
    for form in Format:
        done = hailong("export", WARD, "--anonymous", "--folder", tmp_path / form.value,
                       "--format", form.value)  # fmt: skip
        assert "332 rows" in done, done
        page = (tmp_path / form.value / "codebook.html").read_text("utf-8")
        assert "k-ẩn danh" in page and f"{EARLIER.name}, {LATER.name}" in page
        assert "<code>nights</code>" in page
        assert "disposition" not in (tmp_path / form.value / "analysis.R").read_text("utf-8")
        compile((tmp_path / form.value / "analysis.py").read_text("utf-8"), "analysis.py", "exec")
        sizes[form] = (tmp_path / form.value / form.file_name).stat().st_size
    assert min(sizes.values()) > 1000
    import pyreadstat

    whole = pyarrow.parquet.read_table(tmp_path / "parquet" / "responses.parquet")
    frame, meta = pyreadstat.read_sav(str(tmp_path / "sav" / "responses.sav"))
    assert frame["sex"].tolist() == [float(v) for v in whole["sex"].to_pylist()]
    assert meta.variable_value_labels["sex"][-1.0].startswith("không cho biết")
    with (tmp_path / "csv" / "responses.csv").open(encoding="utf-8-sig", newline="") as read:
        assert [row["age"] for row in csv.DictReader(read)] == [
            value or "" for value in whole["age"].to_pylist()
        ]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_who_gets_what_by_the_interface_and_the_page(client, province, database):
    answered(database, province)
    asked = {"questionnaire": WARD, "format": "csv"}
    for headers in (province.reader(), province.person((Role.UNIT_HEAD, "H1")).headers, {}):
        answer = client.get(URL, params=asked, headers=headers)
        assert answer.status_code in (401, 403), answer.text
    key = province.credential(Right.READ_ANONYMOUS, unit="H1")
    refused = client.get("/api/v1/exports", params=asked, headers=key)
    assert refused.status_code == 403
    assert client.get("/api/v1/exports/page", params=asked, headers=key).status_code == 403
    for headers in (key, province.credential(Right.READ_RESPONSES)):
        answer = client.get(URL, params=asked, headers=headers)
        assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            assert sorted(archive.namelist()) == [
                "analysis.R", "analysis.py", "codebook.html", "codebook.xml", "responses.csv",
                "responses.csv-metadata.json",
            ]  # fmt: skip
            text = archive.read("responses.csv").decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        assert rows and min(labels(rows).values()) >= 10
    desk = client.get(
        URL, params=asked, headers=province.credential(Right.READ_ANONYMOUS, unit="D1")
    )
    assert desk.status_code == 200  # and nothing in it: its units asked nobody this
    for wrong, status, field in (
        ({"unit": "C1"}, 404, "unit"),
        ({"questionnaire": "none"}, 404, "questionnaire"),
        ({"from": "2026-02-01", "to": "2026-01-01"}, 422, "to"),
        ({"format": "sas"}, 422, "format"),
    ):
        refused = client.get(URL, params=asked | wrong, headers=key)
        assert refused.status_code == status and field in refused.text, refused.text

    auditor = province.person((Role.AUDITOR, None))
    page = client.get("/exports", params={"questionnaire": WARD}, headers=auditor.headers)
    assert page.status_code == 200 and "332 phiếu" in page.text, page.text
    assert 'name="texts"' not in page.text and 'name="kind"' not in page.text
    link = page.text.split(f'href="{URL}?')[1].split('"')[0].replace("&amp;", "&")
    file = client.get(httpx.URL(f"{URL}?{link}"), headers=auditor.headers)
    assert file.status_code == 200 and file.content.startswith(b"PK")
    single = client.get(
        "/exports", params={"questionnaire": WARD, "kind": "single"}, headers=auditor.headers
    )
    assert "/api/v1/exports?" not in single.text
    analyst = province.person((Role.PROVINCIAL_ANALYST, None))
    both = client.get(
        "/exports", params={"questionnaire": WARD, "kind": "anonymous"}, headers=analyst.headers
    )
    assert 'name="kind"' in both.text and f'href="{URL}?' in both.text
    with database.reading() as session:
        read = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "responses.export_anonymous")
        ).all()
    assert {auditor.email, analyst.email} <= {each.actor for each in read}
    assert not any(each.actor == auditor.email for each in _of_single(database))


def _of_single(database):
    with database.reading() as session:
        return session.scalars(
            select(AuditEntry).where(AuditEntry.action == "responses.export")
        ).all()


def test_of_two_who_make_a_quarter_at_one_time_the_first_stands(database, province, monkeypatch):
    answered(database, province)
    make = anonymising._make
    began = []
    monkeypatch.setattr(anonymising, "_MAKING", nullcontext())  # the other is another process

    def overtaken(session, *given):
        made = make(session, *given)
        if not began:
            began.append([])
            began[0] = rows_of(database)[0]
        return made

    monkeypatch.setattr(anonymising, "_make", overtaken)
    rows, _ = rows_of(database)
    assert began == [rows] and rows
    with database.reading() as session:
        quarters = session.scalars(select(AnonymousQuarter.quarter)).all()
        made = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "responses.anonymise")
        ).all()
    assert len(quarters) == len(made) == 2


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_several_clicks_make_a_quarter_once(database, province, monkeypatch):
    answered(database, province)
    make, times, clicked = anonymising._make, [], Event()

    def counted(*given):
        times.append(given)
        clicked.wait(10)
        return make(*given)

    monkeypatch.setattr(anonymising, "_make", counted)
    missing, asked = anonymising._missing, []

    def noted(*given):
        found = missing(*given)
        asked.append(found)
        # The first looks twice; once the second looked, too, both have found quarters missing.
        if len(asked) == 3:
            clicked.set()
        return found

    monkeypatch.setattr(anonymising, "_missing", noted)
    with ThreadPoolExecutor(2) as threads:
        both = [threads.submit(rows_of, database) for _ in range(2)]
    first, second = (each.result()[0] for each in both)
    assert first == second and len(first) == 332
    assert len(times) == 1


def test_what_comes_while_a_quarter_is_made_is_neither_in_rows_nor_in_what_guards_them(
    database, province, monkeypatch
):
    answered(database, province)
    read = anonymising.find_unreleased
    late = []

    def overtaken(session, *given):
        found = read(session, *given)
        if not late:
            with database.reading() as other:
                point = current_code(other.scalars(select(SurveyPoint).where(
                    SurveyPoint.unit_id == province.units["W1"])).first())  # fmt: skip
            prepare = Preparing(database)
            late.extend(
                prepare(body(point, {"A1": 5}, questionnaire=WARD,
                             answered_at=f"{EARLIER.first}T09:00:00+07:00"))
                for _ in range(3)
            )  # fmt: skip
            prepare.store.append(late)
        return found

    monkeypatch.setattr(anonymising, "find_unreleased", overtaken)
    rows, book = rows_of(database)
    assert len(late) == 3
    assert (len(rows), book.anonymity.left_out) == (332, 0)


@pytest.fixture(scope="module")
def own(own_database):
    """A province of a module, with its answers."""
    province = SmallProvince.found(own_database)
    answered(own_database, province)
    return own_database


@pytest.mark.parametrize("least", (10, 25))
def test_more_may_be_asked_to_be_alike(own, least, tmp_path):
    with own.writing() as session:
        session.execute(AnonymousQuarter.__table__.delete())
    rows, book = rows_of(own, Settings(anonymous_least=least))
    assert book.anonymity.least == least and rows
    assert min(labels(rows).values()) >= least
    with closing(Database(str(own.engine.url))) as other:
        assert rows_of(other)[0] == rows
