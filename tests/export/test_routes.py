"""The interface and the page: to whoever has the right, bounded to their units, and logged."""

import csv
import io
import zipfile

import httpx
import pytest
from sqlalchemy import select

from app.access.models import Right, Sector
from app.access.roles import Role
from app.audit.models import AuditEntry
from app.export import cursors
from tests.export.conftest import answered

URL = "/api/v1/exports"
ASKED = {"questionnaire": "sipas-desk"}


@pytest.fixture
def drawn(database, province, monkeypatch):
    monkeypatch.setattr(cursors, "SETTLES", cursors.SETTLES * 0)
    return answered(database, province, 60)


def rows_of(content, **options):
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), **options))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_who_gets_what(client, province, drawn, database):
    others = [
        province.person((role, "C1" if role in (Role.UNIT_HEAD, Role.DESK_STAFF) else None)).headers
        for role in Role if role not in (Role.PROVINCIAL_ANALYST, Role.DEPARTMENT_ANALYST)
    ]  # fmt: skip
    others += [province.reader(), province.credential(Right.READ_COMMENTS), {}]
    for headers in others:
        for path in (URL, f"{URL}/page"):
            answer = client.get(path, params=ASKED | {"format": "csv"}, headers=headers)
            assert answer.status_code in (401, 403), answer.text
    key = province.credential(Right.READ_RESPONSES, unit="C2")
    answer = client.get(URL, params=ASKED | {"format": "csv"}, headers=key)
    assert answer.headers["cache-control"] == "no-store"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert sorted(archive.namelist()) == [
            "analysis.R", "analysis.py", "codebook.html", "codebook.xml", "responses.csv",
            "responses.csv-metadata.json",
        ]  # fmt: skip
        rows = rows_of(archive.read("responses.csv"))
    wanted = [id for id, said in drawn.items() if said[:2] == ("C2", "sipas-desk")]
    assert len(rows) == len(wanted) and {row["unit"] for row in rows} == {"C2"}
    assert "comment" not in rows[0]
    with database.reading() as session:
        entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert entry.action == "responses.export" and entry.actor.startswith("key ")

    for wrong, status, field in (
        ({"unit": "C1"}, 404, "unit"),
        ({"questionnaire": "none"}, 404, "questionnaire"),
        ({"version": 99}, 404, "version"),
        ({"from": "2026-02-01", "to": "2026-01-01"}, 422, "to"),
        ({"texts": True}, 403, "texts"),
        ({"cursor": "x"}, 422, "cursor"),
        ({"from": "2026-02-30"}, 422, "from"),
        ({"limit": 0}, 422, "limit"),
    ):
        refused = client.get(f"{URL}/page", params=ASKED | wrong, headers=key)
        assert refused.status_code == status, (wrong, refused.text)
        said = refused.json()
        assert field in (said.get("field"), *(each["field"] for each in said.get("errors", ())))
    refused = client.get(URL, params=ASKED | {"format": "sas"}, headers=key)
    assert refused.status_code == 422 and "format" in refused.text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_pages_go_on_by_their_cursors(client, province, drawn):
    key = province.credential(Right.READ_RESPONSES, Right.READ_COMMENTS, Right.READ_SMALL_CELLS)
    asked, found, more = ASKED | {"limit": 7, "texts": True}, [], "true"
    while more == "true":
        answer = client.get(f"{URL}/page", params=asked, headers=key)
        assert answer.status_code == 200, answer.text
        found += rows_of(answer.content)
        asked |= {"cursor": answer.headers["hailong-cursor"]}
        more = answer.headers["hailong-more"]
    assert len(found) == len({row["response"] for row in found}) == 30
    assert {row["change"] for row in found} == {"row"}
    assert any(row["comment"] for row in found)
    again = client.get(f"{URL}/page", params=asked, headers=key)
    assert rows_of(again.content) == [] and again.headers["hailong-more"] == "false"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_page_shows_a_few_and_leads_to_files(client, province, drawn, database):
    analyst = province.person((Role.DEPARTMENT_ANALYST, None, Sector.HEALTH))
    answer = client.get(
        "/exports", params={"questionnaire": "moh-inpatient"}, headers=analyst.headers
    )
    assert answer.status_code == 200 and "15 phiếu" in answer.text, answer.text
    link = answer.text.split('href="/api/v1/exports?')[1].split('"')[0].replace("&amp;", "&")
    file = client.get(httpx.URL(f"/api/v1/exports?{link}"), headers=analyst.headers)
    assert file.status_code == 200 and file.content.startswith(b"PK")
    none = client.get("/exports", params={"questionnaire": "sipas-desk"}, headers=analyst.headers)
    assert none.status_code == 200 and "Không có phiếu nào như vậy" in none.text
    wrong = client.get(
        "/exports",
        params={"questionnaire": "moh-inpatient", "from": "x"},
        headers=analyst.headers | {"Accept": "text/html"},
    )
    assert wrong.status_code == 422 and "aria-invalid" in wrong.text
    with database.reading() as session:
        said = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "responses.export")
        ).all()
    assert {each.actor for each in said} == {analyst.email} and len(said) >= 2
