"""What people try against pages: each is tried here, on both stores, over HTTP.

Nothing is a 5xx, nothing leads elsewhere, nothing is run, nothing private is kept by a cache.
"""

import re
import subprocess
import sys
import zipfile
from functools import cache
from inspect import signature
from urllib.parse import urlsplit

import pytest

from app.access.models import Right
from app.access.roles import Role
from app.main import create_app
from app.settings import Settings
from app.web.openapi import routes_of
from app.web.pages import local_path
from tests.conftest import serving
from tests.server import ROOT
from tests.small_province import body

GOOD = "bốn từ ngẫu nhiên đây"
HTML = {"Accept": "text/html"}

# --- open redirects, header injection ------------------------------------------------------

ELSEWHERE = [
    "https://evil.example/",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "\t//evil.example",
    "https:evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "evil.example",
    "@evil.example",
    "/x\r\nSet-Cookie: a=b",
    "/x\nLocation: https://evil.example",
    "",
]


@pytest.mark.parametrize("target", ELSEWHERE, ids=repr)
def test_no_page_leads_elsewhere(target):
    assert local_path(target) == "/"


@pytest.mark.parametrize("target", ["/", "/keys", "/accounts?q=an&after=b", "/a/b#c", "/ế"])
def test_a_page_leads_to_pages_of_ours(target):
    assert local_path(target) == target


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("target", ELSEWHERE, ids=repr)
def test_signing_in_and_choosing_a_language_stay_here(client, province, target):
    province.person(email="an@tinh.vn", password=GOOD)
    form = {"email": "an@tinh.vn", "password": GOOD, "next": target}
    for answer in (
        client.post("/sign-in", data=form),
        client.get("/sign-in", params={"next": target}),
        client.get("/language/vi", params={"next": target}),
    ):
        assert re.match(r"/(?![/\\])", answer.headers["location"])
        assert "a" not in answer.cookies
    assert client.get(f"/language/{_quoted(target) or 'x'}").status_code == 404


# --- caches ---------------------------------------------------------------------------------


def test_pages_of_one_person_and_with_secrets_are_kept_by_no_cache(client, province):
    operator = province.person((Role.OPERATOR, None))
    from app.access import accounts

    with province.database.writing() as session:
        link = accounts.link_for_password(session, accounts.find(session, operator.email))
    for path in ("/", "/profile", "/accounts", "/keys", "/devices", "/audit", f"/password/{link}"):
        answer = client.get(path, headers=operator.headers | HTML)
        assert answer.status_code == 200, path
        assert answer.headers["cache-control"] == "no-store", path
        assert "cookie" in answer.headers["vary"].lower()
    for path in ("/sign-in", "/password/unknown", "/profile", "/none"):
        assert client.get(path, headers=HTML).headers["cache-control"] == "no-store", path


def test_a_link_is_made_of_our_address_whatever_the_request_says(province, settings):
    operator = province.person((Role.OPERATOR, None))
    other = province.person((Role.AUDITOR, None))
    public = settings.model_copy(update={"public_url": "https://hailong.example.vn"})
    headers = operator.headers | {
        "Cookie": operator.headers["Cookie"].replace("hailong=", "__Host-hailong="),
        "Host": "evil.example",
        "X-Forwarded-Host": "evil.example",
        "Forwarded": "host=evil.example",
    }
    with serving(public) as client:
        page = client.post(
            f"/accounts/{other.account_id}/reset", data=operator.csrf, headers=headers
        )
    assert page.status_code == 200 and "evil.example" not in page.text
    assert "https://hailong.example.vn/password/" in page.text


def test_where_a_key_or_a_token_is_handed_out_nothing_is_kept(client, province):
    operator = province.person((Role.OPERATOR, None))
    made = client.post(
        "/keys/new",
        data={"name": "k", "days": "30", "right": "figures:read"} | operator.csrf,
        headers=operator.headers,
    )
    assert made.status_code == 201 and made.headers["cache-control"] == "no-store"


# --- what is typed is text --------------------------------------------------------------------

SCRIPTS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7*7 }}{% raw %}",
    "'-alert(1)-'",
    "</title><svg onload=alert(1)>",
]


@pytest.mark.parametrize("payload", SCRIPTS)
def test_nothing_typed_is_run_on_any_page(client, province, payload):
    operator = province.person((Role.OPERATOR, None))

    def post(path, **form):
        return client.post(path, data=form | operator.csrf, headers=operator.headers)

    post("/profile", name=payload, language="vi")
    post("/keys/new", name=payload, days="30", right="figures:read")
    post("/accounts/new", email="x@x.vn", name=payload, role="auditor")
    with province.database.writing(payload) as session:
        from app.access import devices
        from app.registry.points import find_by_code

        point = find_by_code(session, province.points[("C1", "sipas-desk")])
        devices.pair(session, _flushed(session, devices.new_code(session, point, payload).code))
    shown = 0
    for path in ("/profile", "/accounts", "/keys", "/devices", "/audit", f"/accounts?q={payload}"):
        page = client.get(path, headers=operator.headers | HTML).text
        assert payload not in page or not set(payload) & set("<>\"'"), path
        assert "49" not in re.findall(r"<h1>[^<]*", page)[0]
        shown += "alert" in page or "7*7" in page
    assert shown >= 4  # it was there, as text


def _flushed(session, code):
    session.flush()
    return code


NASTY = [
    "\x00",
    "a\x00b",
    "\u202eevil",
    "Z" + "\u0301" * 400,
    "\ud800",
    "9" * 400,
    "-1",
    "1e400",
    "²",
    "%00",
    "../../etc/passwd",
    "' OR 1=1 --",
    "\\",
    "%_%",
    "\r\nX: y",
    "x" * 3000,
    "2026-99-99",
    "0001-01-01",
    "9999-12-31",
    "💣" * 50,
]


@cache
def page_routes():
    """Method, path and fields of each page, and of each form."""
    return list(_page_routes())


def _page_routes():
    """Every page: method, path, its parameters in path and query or form."""
    app = create_app(Settings(database_url="sqlite://"))
    for route in routes_of(app):
        if route.include_in_schema or "openid" in route.path or route.path == "/sign-out":
            continue
        own = {"request", "caller", *re.findall(r"\{(\w+)\}", route.path_format)}
        called = {"first": "from", "last": "to"}
        names = [called.get(p, p) for p in signature(route.endpoint).parameters if p not in own]
        for method in sorted(route.methods - {"HEAD"}):
            yield method, route.path_format, names


#: What each field takes, so that one nasty field at a time is looked at.
SOUND = {
    "email": "moi@x.vn", "name": "N", "password": GOOD, "again": GOOD, "language": "vi",
    "role": "auditor", "unit": "C1", "sector": "", "days": "30", "system": "yes",
    "right": "figures:read", "point": "1", "next": "/",
}  # fmt: skip


#: PostgreSQL refuses what SQLite takes; SQLite itself fails at numbers only.
ON_STORES = [
    *(("postgresql", nasty) for nasty in NASTY),
    *(("sqlite", nasty) for nasty in ("9" * 400, "-1", "1e400", "\x00", "\ud800")),
]
on_stores = pytest.mark.parametrize(
    ("database_url", "nasty"), ON_STORES, ids=ascii, indirect=["database_url"]
)


@on_stores
def test_no_page_fails_on_anything_typed(client, province, nasty):
    value = nasty.encode("utf-8", "surrogatepass")
    operator = province.person((Role.OPERATOR, None))
    for method, path, names in page_routes():
        where = "params" if method == "GET" else "data"

        def ask(address, fields, method=method, where=where, operator=operator, path=path):
            extra = operator.csrf if method == "POST" else {}
            answer = client.request(
                method, address, headers=operator.headers, **{where: fields | extra}
            )
            assert answer.status_code < 500, f"{method} {path} {fields}: {answer.text}"
            assert urlsplit(answer.headers.get("location", "/")).netloc == ""

        sound = {name: SOUND.get(name, "") for name in names}
        if "{" in path:
            ask(re.sub(r"\{\w+\}", lambda _: _quoted(nasty), path), sound)
        address = re.sub(r"\{\w+\}", "1", path)
        for name in names:
            ask(address, sound | {name: value})


def _quoted(text):
    from urllib.parse import quote

    return quote(text.encode("utf-8", "surrogatepass"), safe="")[:4000]


@on_stores
def test_the_interface_for_reading_fails_on_nothing(client, province, nasty):
    key = province.credential(
        Right.READ_FIGURES, Right.READ_COMMENTS, Right.READ_REGISTRY, Right.READ_SMALL_CELLS
    )
    value = nasty.encode("utf-8", "surrogatepass")
    for path in ("satisfaction", "comments", "units", "points", "questionnaires"):
        for name in ("unit", "questionnaire", "month", "after", "limit", "item", "from", "by"):
            query = {"month": "2026-01"} | {name: value}
            answer = client.get(f"/api/v1/{path}", params=query, headers=key)
            assert answer.status_code < 500, f"{path}?{name}: {answer.text}"
    answer = client.post("/api/v1/pairings", json={"code": nasty if nasty != "\ud800" else "x"})
    assert answer.status_code in (404, 422)


# --- bodies and files ---------------------------------------------------------------------


def test_a_form_without_end_is_cut_off(client, province, settings):
    def without_end():
        for _ in range(settings.body_limit // 65_536 + 2):
            yield b"a=" + b"a" * 65_536 + b"&"

    for path in ("/sign-in", "/oauth/token", "/api/v1/pairings"):
        answer = client.post(
            path,
            content=without_end(),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
        assert answer.status_code == 413, path
        assert answer.json()["type"] == "/problems/body-too-large"


def test_a_form_of_many_fields_or_files_is_refused(client, province):
    somebody = province.person()
    many = "&".join(f"f{n}=1" for n in range(5000))
    answer = client.post(
        "/profile",
        content=many,
        headers=somebody.headers | {"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert 400 <= answer.status_code < 500
    answer = client.post("/profile", files={"name": b"x" * 100_000}, headers=somebody.headers)
    assert 400 <= answer.status_code < 500


def preview(file):
    """The command that says what an import would do; where it fails otherwise, a test fails."""
    return "import", "responses", file, "--questionnaire", "sipas-desk", "--preview"


def imported(file, database_url):
    """Its exit code and complaint in a process of its own, whose memory no other test shares."""
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", *map(str, preview(file))],
        cwd=ROOT,
        env={"HAILONG_DATABASE_URL": database_url, "PATH": "/usr/bin:/bin", "HOME": "/tmp"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr.replace("\n", " ")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_zip_bomb_is_not_unpacked(database_url, province, tmp_path):
    bomb = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            for _ in range(1500):
                sheet.write(b"<" * 1_000_000)
        archive.writestr("[Content_Types].xml", "<Types/>")
    assert bomb.stat().st_size < 3_000_000
    code, said = imported(bomb, database_url)
    assert code == 1 and "unpacks to" in said


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "content",
    [
        b"PK\x03\x04 not a zip",
        b"",
        b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>",
    ],
)
def test_a_file_that_is_no_workbook_is_a_sentence(hailong, province, tmp_path, content):
    file = tmp_path / "x.xlsx"
    file.write_bytes(content)
    assert f"hailong: {file}: " in hailong(*preview(file), code=1).replace("\n", " ")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_entities_of_a_workbook_are_not_expanded(database_url, province, tmp_path):
    """The billion laughs: ten entities of ten entities each, and so on."""
    from openpyxl import Workbook

    sound = tmp_path / "sound.xlsx"
    book = Workbook()
    book.active.append(["date", "point", "A1"])
    book.save(sound)
    laughs = '<!DOCTYPE l [<!ENTITY l0 "ha">' + "".join(
        f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10)
    )
    evil = tmp_path / "evil.xlsx"
    with zipfile.ZipFile(sound) as source, zipfile.ZipFile(evil, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            if name.endswith("sheet1.xml"):
                data = (laughs + "]>").encode() + data.replace(b"date", b"&l9;")
            target.writestr(name, data)
    assert imported(evil, database_url)[0] == 1


@pytest.mark.parametrize("name", ["/etc/passwd", "../../etc/shadow", "/dev/null", "x" * 300])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_path_that_is_no_table_is_a_sentence(hailong, province, name):
    assert hailong(*preview(name), code=(1, 2))


def test_a_response_is_taken_while_others_attack(client, province):
    """After all that the desk still works."""
    assert (
        client.post("/api/v1/responses", json=body(), headers=province.device()).status_code == 201
    )
