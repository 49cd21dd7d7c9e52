"""Nothing that tells of a citizen is in any byte that the service writes, and staff's names are in
none in clear; who may read comments reads staff's names.
"""

import json
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select, text, update

from app.access.models import Right
from app.backup.sealing import make_key
from app.db import Base, Database
from app.figures.release import ReleaseRule
from app.intake.models import AsideResponse, ResponseText
from app.intake.schemas import ResponseIn
from app.intake.texts import masked_body
from app.masking.masker import mask
from app.text_keys import TextKeys
from tests.intake.paper_forms import write
from tests.server import ServerProcess
from tests.small_province import SmallProvince, body

PHONE, CITIZEN, STAFF = "0912345678", "Trần Thị Mận", "Hoàng Văn Đậu"
SPACED = "0912 345 678"
TEXT = f"Tôi là {CITIZEN}, số {SPACED}. Bác sĩ {STAFF} quát tôi. Gọi {PHONE}"
URL = "/api/v1/responses"


def spellings(secret):
    """The ways in which a secret may stand among bytes."""
    found = {secret, secret.lower(), json.dumps(secret)[1:-1]}
    return {form.encode() for form in found} | {secret.encode("utf-16-le")}


SECRETS = {form for each in (PHONE, SPACED, CITIZEN, STAFF) for form in spellings(each)}


def leaks(folder):
    return {
        (file.name, secret.decode("utf-8", "replace"))
        for file in folder.rglob("*")
        if file.is_file()
        for content in [file.read_bytes()]
        for secret in SECRETS
        if secret in content
    }


def all_ways_in(client, province, hailong, folder):
    """Sends the text by every way that there is."""
    code, device = province.points[("C1", "sipas-desk")], province.device()
    answers = {"A1": 4, "comment": TEXT}
    one = body(answers=answers)
    assert client.post(URL, json=one, headers=device).status_code == 201
    assert client.post(URL, json=one, headers=device).status_code == 200
    conflict = one | {"answers": {"A1": 4, "comment": f"{TEXT}!"}}
    assert client.post(URL, json=conflict, headers=device).status_code == 409
    strange = [
        body(answers={"A1": 9, "comment": TEXT}), body(answers={"A1": TEXT}),
        body(answers={TEXT: 1}),
        body() | {TEXT: TEXT}, {"id": PHONE, "x": TEXT}, {"id": TEXT}, body() | {"point": TEXT},
        body(answers={"A1": int(PHONE)}), TEXT, [TEXT],
        body(answers={"comment": TEXT + "x" * 9000}),
        body(answers={"A1": 3, "comment": TEXT}),
    ]  # fmt: skip
    told = client.post(URL, json={"responses": strange}, headers=device).json()["responses"]
    assert [each["status"] for each in told] == ["refused"] * 11 + ["accepted"]
    assert client.post(URL, json={"id": TEXT}, headers=device).status_code == 422
    assert client.post(URL, content=f'{{"{TEXT}'.encode(), headers=device).status_code >= 400
    form = {"a.A1": "5", "a.comment": TEXT, "lang": "vi"}
    assert client.post(
        f"/q/{code}", data=form, headers={"Origin": str(client.base_url)}
    ).is_redirect
    case = {
        "case": "H05.1", "unit": "C1", "point": code, "finished_at": one["answered_at"],
    }  # fmt: skip
    invited = client.post(
        "/api/v1/invitations", json=case, headers=province.credential(Right.INVITE)
    ).json()
    path = "/" + invited["link"].split("/", 3)[3]
    assert client.post(path, data=form, headers={"Origin": str(client.base_url)}).is_redirect
    paper = folder.parent / "forms.csv"
    row = ["2026-10-24", code, 4, TEXT]
    write(paper, [["date", "point", "A1", "comment"], row, row])
    shown = hailong("import", "responses", paper, "--questionnaire", "sipas-desk")
    assert "2 accepted" in shown and not any(s.decode("utf-8", "replace") in shown for s in SECRETS)
    again = hailong("import", "responses", paper, "--questionnaire", "sipas-desk")
    assert "2 duplicate" in again


@pytest.fixture
def service(tmp_path, database_url, monkeypatch):
    """A folder that holds all that the service writes."""
    folder = tmp_path / "all"
    (folder / "work").mkdir(parents=True)
    public, private = make_key()
    (tmp_path / "private.key").write_text(private)
    for name, value in {
        "BACKUP_KEYS": public, "BACKUP_FOLDER": folder / "backups", "BACKUP_WORK": folder / "work",
        "LOG_LEVEL": "debug", "ACCESS_LOG": "true",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"HAILONG_{name}", str(value))
    return folder


def test_a_number_and_a_name_are_in_no_byte_of_the_service(
    service, database_url, database, settings, hailong, tmp_path, monkeypatch
):
    folder = service
    province = SmallProvince.found(database)
    log = folder / "server.log"
    server = ServerProcess(
        database_url, log, command=("tests.logs.defective", "serve"), log_level="debug",
        access_log=True, cache_s=0,
    )  # fmt: skip
    try:
        server.wait_until_ready()
        with httpx.Client(base_url=server.address, timeout=60) as client:
            all_ways_in(client, province, hailong, folder)
    finally:
        server.stop()
    database.close()
    with closing(Database(database_url)) as again, again.reading() as session:
        texts = session.scalars(select(ResponseText)).all()
        aside = session.scalars(select(AsideResponse)).all()
        tables = {
            name: [repr(tuple(row)) for row in session.execute(select(table))]
            for name, table in Base.metadata.tables.items()
        }
    assert len(texts) == 6 and len(aside) >= 9
    assert {each.body for each in texts} == {mask(TEXT).text}
    keys = TextKeys.of(settings)
    for each in texts:
        opened = keys.decrypt(each.encrypted_body, f"{each.response_id}/{each.item}")
        assert opened == mask(TEXT).with_staff and STAFF in opened and CITIZEN not in opened
    (folder / "rows.json").write_text(json.dumps(tables, ensure_ascii=False), "utf-8")
    if database_url.startswith("sqlite"):
        for name in tmp_path.glob("hailong.db*"):
            (folder / name.name).write_bytes(name.read_bytes())
    if database_url.startswith("sqlite"):
        hailong("backup")
        (made,) = (folder / "backups").glob("hailong-*")
        unpack(made, tmp_path / "private.key", folder / "unpacked")
        assert any((folder / "unpacked").iterdir())
        assert not list((folder / "unpacked").rglob("*.key"))
    assert leaks(folder) == set()
    # The test would find them: they are in a file that is not the service's.
    assert leaks(tmp_path) != set()


def unpack(made, key, folder):
    from app.backup import sealing

    folder.mkdir()
    sealing.unseal(made, folder, key)


def test_readers_of_comments_see_staff_and_without_the_key_nobody_does(
    client, province, settings, month_over, tmp_path
):
    from datetime import datetime

    device = province.device()
    for _ in range(12):
        sent = body(answers={"A1": 4, "comment": TEXT})
        assert client.post(URL, json=sent, headers=device).status_code == 201
    reader = province.credential(Right.READ_COMMENTS, unit="D1")
    query = {"month": f"{datetime.now(settings.zone):%Y-%m}"}
    shown = client.get("/api/v1/comments", params=query, headers=reader).json()["comments"]
    assert {each["body"] for each in shown} == {mask(TEXT).with_staff}
    from app.access.callers import Caller, Grant
    from app.figures import comments

    caller = Caller("x", (Grant(frozenset({Right.READ_COMMENTS})),))
    found = comments.read(
        province.database, caller, comments.CommentQuery(query["month"]),
        release_rule=ReleaseRule.of(settings), keys=TextKeys(tmp_path / "none.key"),
    )  # fmt: skip
    assert {each.body for each in found.comments} == {mask(TEXT).text}


def test_what_an_older_version_stored_is_masked_and_nothing_of_it_stays(
    database, database_url, province, client, hailong, tmp_path
):
    device = province.device()
    for _ in range(3):
        sent = body(answers={"A1": 4, "comment": TEXT})
        assert client.post(URL, json=sent, headers=device).status_code == 201
    wrong = body(answers={"A1": 9, "comment": TEXT})
    assert client.post(URL, json=wrong, headers=device).status_code == 422
    as_before = ResponseIn.model_validate(wrong).model_dump_json(exclude_unset=True)
    with database.writing() as session:
        session.execute(
            update(ResponseText).values(body=TEXT, encrypted_body=None, masker_edition=None)
        )
        session.execute(
            update(AsideResponse).values(body=as_before, body_hash=None, masker_edition=None)
        )
    told = hailong("masking", "run")
    assert "4 comments looked at, 4 masked" in told
    assert "0 comments looked at, 0 masked" in hailong("masking", "run")
    with database.reading() as session:
        assert set(session.scalars(select(ResponseText.body))) == {mask(TEXT).text}
        assert all(session.scalars(select(ResponseText.encrypted_body)))
        assert session.scalars(select(AsideResponse.body)).one() == masked_body(as_before)
        entry = session.execute(
            text("SELECT details FROM audit_entry WHERE action = 'masking.run' ORDER BY id LIMIT 1")
        ).scalar_one()
    assert json.loads(entry) == {"texts": 4, "changed": 4}
    # Sent again it is still the same.
    assert client.post(URL, json=wrong, headers=device).status_code == 422
    with database.reading() as session:
        assert len(session.scalars(select(AsideResponse)).all()) == 1
    if database_url.startswith("sqlite"):
        file = Path(database.url.database)
        content = file.read_bytes() + Path(f"{file}-wal").read_bytes()
        assert not [secret for secret in SECRETS if secret in content]


def test_lines_of_a_file_are_shown_as_they_would_be_stored(hailong, tmp_path):
    file = tmp_path / "lines.txt"
    file.write_text(f"{TEXT}\nChờ lâu\n", "utf-8")
    assert hailong("masking", "try", file) == f"{mask(TEXT).text}\nChờ lâu\n"
    assert STAFF in hailong("masking", "try", file, "--staff")


@pytest.mark.parametrize("size", [19_990, 20_000, 20_050, 90_000])
def test_a_number_at_the_end_of_what_is_kept_of_a_long_body_is_masked(size):
    sent = json.dumps({"answers": {"comment": "x " * (size // 2) + SPACED + " y" * 100}})
    kept = masked_body(sent)
    assert len(kept) <= 20_000 and "0912" not in kept
