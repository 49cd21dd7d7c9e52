"""The command line as a person and a script use it: what it prints, and its exit codes."""

import csv
import io
import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime

import httpx
import pytest
from sqlalchemy import select

from app.access import accounts
from app.access.roles import Role
from app.intake.models import Response
from app.invitations.models import SmsMessage
from app.registry.points import ALPHABET
from app.registry.queries import find_unit
from app.webhooks.models import Delivery
from surveys.loader import FORMS
from tests.conftest import serving
from tests.server import ROOT
from tests.small_province import body


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("command", [["serve"], ["migrate"], ["qr", "K7XQ2MD", "--out", "x.pdf"]])
def test_a_setting_that_cannot_be_used_is_one_sentence_before_anything_is_done(
    hailong, monkeypatch, command
):
    monkeypatch.setenv("HAILONG_PUBLIC_URL", "https://tinh.example.vn/hailong")
    said = " ".join(hailong(*command, code=1).split())
    assert said == (
        "hailong: HAILONG_PUBLIC_URL: https://tinh.example.vn/hailong has more than a host's name: "
        "the service cannot stand under a path, and needs a name of its own like "
        "https://hailong.example.vn"
    )
    monkeypatch.setenv("HAILONG_PUBLIC_URL", "")
    monkeypatch.setenv("HAILONG_PORT", "x")
    assert "HAILONG_PORT: " in hailong(*command, code=1)


def test_forms_are_checked_by_file_line_and_field(hailong, tmp_path):
    sound = FORMS / "kiosk-face.yaml"
    assert hailong("questionnaires", "check", sound).strip().endswith("sound")
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(sound.read_text("utf-8").replace("index: [S]", "index: [T]"), "utf-8")
    said = hailong("questionnaires", "check", sound, wrong, code=1)
    assert re.search(rf"{wrong}:49:11: scoring\.index\[0\]: T is not a factor", said)
    assert "no such file" in hailong("questionnaires", "check", tmp_path / "no.yaml", code=1)


def test_forms_are_listed_and_published(hailong):
    said = hailong("questionnaires", "list")
    assert "sipas-desk" in said and "moh-outpatient" in said
    assert "0 published" in hailong("questionnaires", "publish")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_names_that_look_like_markup_are_printed_as_they_are(hailong, province, database):
    """Such a name would end a list in a traceback, or be left out of it."""
    name = "Tổ [/b] [red]1"
    with database.writing() as session:
        find_unit(session, "C2").name_vi = name
    hailong("points", "add", "C2", "sipas-desk", "--name", name)
    assert name in hailong("points", "list")
    hailong("accounts", "add", "an@tinh.vn", "--name", name, "--role", "operator")
    assert name in hailong("accounts", "list")
    hailong("keys", "issue", name, "--right", "figures:read", "--unit", "C2")
    assert name in hailong("keys", "list")
    hailong("webhooks", "add", "https://x.vn/[/b][red]1")
    assert "https://x.vn/[/b][red]1" in hailong("webhooks", "list")
    with database.writing() as session:
        failed = {"due_at": None, "failed_at": datetime.now(UTC), "fate": "given-up"}
        reason = "InvalidURL: [/b][red]1"
        session.add(SmsMessage(phone="0901234567", body="", reason=reason, **failed))
        session.add(Delivery(webhook_id=1, body="{}", reason=reason, **failed))
    for listing in (("sms", "list"), ("webhooks", "waiting")):
        assert reason in hailong(*listing)


def test_a_point_from_opening_to_revocation(hailong, province, settings):
    code = hailong("points", "add", "C2", "sipas-desk", "--name", "Bàn 1").strip()
    assert re.fullmatch(f"[{ALPHABET}]{{7}}", code)
    assert code in hailong("points", "list", "--unit", "C2")
    hailong("points", "pause", code)
    with serving(settings) as client:
        assert client.post("/api/v1/responses", json=body(code)).status_code == 422
        hailong("points", "resume", code)
        assert client.post("/api/v1/responses", json=body(code)).status_code == 201
        new = hailong("points", "reprint", code).strip()
        assert client.post("/api/v1/responses", json=body(code)).status_code == 422
        assert client.post("/api/v1/responses", json=body(new)).status_code == 201
    hailong("points", "revoke", new)
    assert "stays revoked" in hailong("points", "resume", new, code=1)
    assert "no survey point" in hailong("points", "pause", "NOPOINT", code=1)
    assert "no unit" in hailong("points", "add", "X9", "sipas-desk", code=1)
    assert "no questionnaire" in hailong("points", "add", "C2", "x", code=1)


def test_a_credential_from_issue_to_revocation(hailong, province, settings):
    code = province.points[("C1", "sipas-desk")]
    secret = hailong(
        "keys", "issue", "Máy C1", "--right", "responses:submit", "--point", code
    ).strip()
    header = {"Authorization": f"Bearer {secret}"}
    with serving(settings) as client:
        sent = client.post("/api/v1/responses", json=body(), headers=header)
        assert sent.status_code == 201
        listed = hailong("keys", "list")
        assert "Máy C1" in listed and secret not in listed
        hailong("keys", "revoke", 1)
        again = client.post("/api/v1/responses", json=body(), headers=header)
        assert again.json()["type"] == "/problems/credential-unknown"
    assert "no key 99" in hailong("keys", "revoke", 99, code=1)
    said = hailong("keys", "issue", "x", "--right", "responses:submit", code=1)
    assert "name its --point" in said


def test_rates_and_cells(hailong, client, province):
    for level in (5, 5, 2):
        sent = body(answers={"A1": level, "B1": 4})
        httpx.Response.raise_for_status(
            client.post("/api/v1/responses", json=sent, headers=province.device())
        )
    said = hailong("rates", "--unit", "C1", "--questionnaire", "sipas-desk")
    assert "C1 Đơn vị C1" in said and "83.3%" in said
    assert "A1" in hailong("rates", "--questionnaire", "sipas-desk", "--by", "item")
    assert "no unit with code X" in hailong("rates", "--unit", "X", code=1)
    assert "not a day" in hailong("rates", "--from", "soon", code=1)
    assert "all cells equal" in hailong("rollups", "verify")
    assert "1 cells rebuilt" in hailong("rollups", "rebuild")


def test_units_are_imported_or_refused_by_line(hailong, tmp_path):
    file = tmp_path / "units.csv"
    file.write_text("kind,code,name_vi\nprovince,P,Tỉnh\n", encoding="utf-8")
    assert "1 units added" in hailong("import", "units", file)
    assert "0 units added" in hailong("import", "units", file)
    file.write_text("kind,code,name_vi\nprovince,Q,Tỉnh\nvillage,V,Làng\n", encoding="utf-8")
    said = hailong("import", "units", file, code=1)
    assert f"{file}: Row 3, column “kind” (cell A3): “village” is no kind" in said
    assert "nothing was imported" in said
    assert "no such file" in hailong("import", "units", tmp_path / "x.csv", code=1)


def test_the_audit_log_is_walked_and_written_out(hailong, province):
    hailong("points", "add", "C2", "sipas-desk", "--name", "Bàn 2")
    hailong("keys", "issue", "=1+1", "--right", "figures:read")
    said = hailong("audit", "verify")
    head = said.split()[-1]
    assert "all in order" in said and re.fullmatch("[0-9a-f]{64}", head)
    rows = list(csv.DictReader(io.StringIO(hailong("audit", "export"))))
    assert [int(row["id"]) for row in rows] == list(range(1, len(rows) + 1))
    assert rows[-1]["hash"] == head and rows[-2]["action"] == "point.open"
    assert rows[-1]["actor"].startswith("command:")
    written = hailong("audit", "export", "--format", "jsonl")
    lines = [json.loads(line) for line in written.splitlines()]
    assert lines[-1]["details"]["name"] == "=1+1" and len(lines) == len(rows)
    assert "breaks at entry" in hailong("audit", "verify", "--head", "f" * 64, code=1)


def test_usage_and_a_database_that_does_not_answer(hailong, monkeypatch):
    hailong("points", "explode", code=2)
    assert "up to date" in hailong("migrate")


@pytest.mark.parametrize(
    "url", ["postgresql+psycopg://nobody@127.0.0.1:1/none", "sqlite:////proc/none/x.db"]
)
def test_no_database_is_a_sentence_and_no_traceback(url):
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", "points", "list"],
        cwd=ROOT,
        env=os.environ | {"HAILONG_DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr and done.stderr.startswith("hailong: ")


def test_a_first_operator_is_made_by_a_command_and_sets_a_password(hailong, settings):
    link = hailong(
        "accounts", "add", "an@tinh.vn", "--name", "Nguyễn Văn An", "--role", "operator"
    ).strip()
    path = "/" + link.split("/", 3)[3]
    assert re.fullmatch(r"/password/[\w-]{43}", path)
    with serving(settings) as client:
        form = {"password": "bốn từ ngẫu nhiên đây", "again": "bốn từ ngẫu nhiên đây"}
        assert client.post(path, data=form).headers["location"].startswith("/sign-in")
        signed = client.post("/sign-in", data={"email": "an@tinh.vn", "password": form["password"]})
        assert signed.headers["location"] == "/" and client.get("/accounts").status_code == 200
        again = hailong("accounts", "reset", "an@tinh.vn").strip()
        assert again != link
        assert client.get("/accounts").status_code == 401
        assert client.get(path).status_code == 404
    listed = hailong("accounts", "list")
    assert "operator on everything" in listed and "not set" in listed


def test_accounts_are_given_roles_and_ended(hailong, province):
    hailong("accounts", "add", "an@x.vn", "--name", "An", "--role", "unit-head", "--unit", "C1")
    assert "desk-staff on C2" in hailong(
        "accounts", "grant", "an@x.vn", "--role", "desk-staff", "--unit", "C2"
    )
    hailong("accounts", "grant", "an@x.vn", "--role", "department-analyst", "--sector", "health")
    listed = hailong("accounts", "list")
    assert "unit-head on C1" in listed and "department-analyst (health) on everything" in listed
    hailong("accounts", "revoke", "an@x.vn", "--role", "desk-staff", "--unit", "C2")
    assert "C2" not in hailong("accounts", "list")
    hailong("accounts", "disable", "an@x.vn")
    assert "disabled" in hailong("accounts", "list")
    hailong("accounts", "enable", "an@x.vn")
    assert "disabled" not in hailong("accounts", "list")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["add", "an@x.vn", "--name", "An", "--role", "operator"], "has an account already"),
        (["add", "an", "--name", "An", "--role", "operator"], "Enter an e-mail address"),
        (["add", "b@x.vn", "--name", "B", "--role", "unit-head"], "This role needs a unit"),
        (["add", "b@x.vn", "--name", "B", "--role", "unit-head", "--unit", "X9"], "X9"),
        (["add", "b@x.vn", "--name", "B", "--role", "department-analyst"], "needs a sector"),
        (["reset", "none@x.vn"], "no account none@x.vn"),
        (["revoke", "an@x.vn", "--role", "desk-staff"], "no such role"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_cannot_be_done_with_accounts_is_a_sentence(hailong, province, arguments, said):
    hailong("accounts", "add", "an@x.vn", "--name", "An", "--role", "auditor")
    assert said in hailong("accounts", *arguments, code=1)
    # Nothing is done by halves: no account without its role.
    assert "b@x.vn" not in hailong("accounts", "list")


def test_a_systems_key_is_bound_to_its_unit(hailong, province, settings):
    secret = hailong(
        "keys", "issue", "Phần mềm một cửa", "--right", "figures:read", "--unit", "D1",
        "--days", "30",
    ).strip()  # fmt: skip
    assert "unit D1" in hailong("keys", "list")
    header = {"Authorization": f"Bearer {secret}"}
    with serving(settings) as client:
        rates = "/api/v1/satisfaction?questionnaire=sipas-desk&unit="
        assert client.get(f"{rates}C1", headers=header).status_code == 200
        assert client.get(f"{rates}A1", headers=header).status_code == 404
    assert "X9" in hailong("keys", "issue", "x", "--right", "figures:read", "--unit", "X9", code=1)


def test_what_widens_an_account_beyond_its_maker_resets_it(hailong, database, province):
    maker = province.person((Role.OPERATOR, "D1"), email="huyen@tinh.vn")
    with database.writing(maker.email) as session:
        account = accounts.add(session, "moi@tinh.vn", "Mới")
        accounts.grant(session, account, Role.UNIT_HEAD, find_unit(session, "C1"), None)
        old = accounts.link_for_password(session, account)
    grant = ("accounts", "grant", "moi@tinh.vn", "--role")
    assert "/password/" not in hailong(*grant, "unit-head", "--unit", "C2")
    said = hailong(*grant, "auditor")
    new = re.search(r"/password/([\w-]+)", said)[1]
    with database.reading() as session:
        assert accounts.account_of_link(session, new).email == "moi@tinh.vn"
        with pytest.raises(accounts.LinkUnknown):
            accounts.account_of_link(session, old)


def test_what_a_key_sent_is_set_aside_by_command_and_counted_again(hailong, client, province):
    device = province.device()
    for _ in range(10):  # fewer are not set aside
        assert client.post("/api/v1/responses", json=body(), headers=device).status_code == 201
    with province.database.reading() as session:
        number = str(session.scalar(select(Response.credential_id)))
    options = (number, "--since", "2026-01-01", "--reason", "mất máy")
    assert hailong("responses", "set-aside", *options) == "10 responses set aside\n"
    assert "all cells equal" in hailong("rollups", "verify")
    assert hailong("responses", "count-again", *options) == "10 responses counted again\n"
    unknown = hailong("responses", "set-aside", "99", *options[1:], code=1)
    assert "no key number 99" in unknown


@pytest.mark.parametrize(
    ("command", "needed"), [("accounts", "sqlalchemy"), ("points", "openpyxl"), ("rates", "scipy")]
)
def test_a_command_loads_its_own_room_and_no_other(command, needed):
    run = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "app.cli", command, "--help"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    loaded = set(re.findall(r"\|\s*([\w.]+)$", run.stderr, re.M))
    assert needed in loaded
    # What takes longest, and what no command has but those that serve or write reports.
    assert not loaded & {"altair", "app.main", "app.api", "app.reports", "app.web", "uvicorn"}
    assert ("scipy" in loaded) == (command == "rates")


@pytest.mark.parametrize("command", ["backup", "restore", "move", "doctor"])
def test_what_copies_a_database_knows_its_tables_all(command):
    code = (
        "import typer; from app.cli import cli; from app.db import Base; "
        f"typer.main.get_group(cli).commands[{command!r}]; found = set(Base.metadata.tables); "
        "import app.main; assert found == set(Base.metadata.tables) and len(found) > 30"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_the_interpreter_searches_for_cycles_again_once_a_room_is_loaded():
    code = "import gc; from app.cli import cli; import typer; group = typer.main.get_group(cli); "
    code += "assert group.commands['accounts'] and 'points' in group.commands; "
    code += "print(gc.isenabled(), gc.get_freeze_count() > 10_000)"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    assert run.stdout == b"True True\n"
