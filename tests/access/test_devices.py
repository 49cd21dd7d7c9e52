"""Pairing: a code is typed once and becomes a key that can post for its point and nothing else."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import httpx
import pytest
from sqlalchemy import select, update

from app.access import devices
from app.access.models import Credential, PairingCode, Right
from app.access.roles import Role
from app.registry.models import PointState, SurveyPoint
from app.registry.points import ALPHABET, change_state, find_by_code
from tests.conftest import serving
from tests.small_province import body

URL = "/api/v1/pairings"


@pytest.fixture
def new_code(database, province):
    """Makes a code for a device at C1's desk."""

    def make():
        with database.writing() as session:
            point = find_by_code(session, province.points[("C1", "sipas-desk")])
            return devices.new_code(session, point, "Ki-ốt cửa vào").code

    return make


def test_a_code_becomes_a_key_that_posts_for_its_point_alone(client, province, new_code):
    code = new_code()
    assert len(code) == 8 and set(code) <= set(ALPHABET)
    paired = client.post(URL, json={"code": f" {code[:4].lower()}-{code[4:]}"})
    assert paired.status_code == 201 and paired.headers["cache-control"] == "no-store"
    assert paired.json()["questionnaire"] == "sipas-desk"
    header = {"Authorization": f"Bearer {paired.json()['secret']}"}
    assert client.post("/api/v1/responses", json=body(), headers=header).status_code == 201
    elsewhere = body(province.points[("A1", "sipas-desk")])
    answer = client.post("/api/v1/responses", json=elsewhere, headers=header)
    assert answer.json()["type"] == "/problems/point-not-yours"
    for path in ("/api/v1/satisfaction", "/api/v1/points", "/api/v1/comments?month=2026-01"):
        assert client.get(path, headers=header).json()["type"] == "/problems/right-missing"


def test_a_code_works_once_even_if_two_devices_type_it_at_once(client, database, new_code):
    for _ in range(5):
        code = new_code()

        def pair(_, code=code):
            return httpx.post(f"{client.base_url}{URL}", json={"code": code}, timeout=30)

        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(pair, range(4)))
        assert sorted(answer.status_code for answer in answers) == [201, 404, 404, 404]
    with database.reading() as session:
        assert len(session.scalars(select(Credential)).all()) == 5


def test_what_opens_nothing_is_told_by_its_field(client, database, new_code):
    old = new_code()
    with database.writing() as session:
        session.execute(update(PairingCode).values(expires_at=datetime.now(UTC)))
    for code in (old, "K7XQ2MDH", "", "x" * 40):
        answer = client.post(URL, json={"code": code or "-"})
        assert answer.json()["type"] == "/problems/pairing-code-unknown"
        assert answer.json()["field"] == "code"
    assert client.post(URL, json={"code": ""}).status_code == 422
    assert client.post(URL, json={"code": "x" * 41}).status_code == 422


def test_a_revoked_point_pairs_no_device(client, database, new_code, province):
    code = new_code()
    with database.writing() as session:
        point = find_by_code(session, province.points[("C1", "sipas-desk")])
        change_state(session, point, PointState.REVOKED)
    assert client.post(URL, json={"code": code}).status_code == 404


def test_codes_cannot_be_tried_for_ever(province, settings):
    few = settings.model_copy(update={"sign_in_address_rate": "5 per 1 hour"})
    with serving(few) as client:
        codes = [client.post(URL, json={"code": f"X{n}"}).status_code for n in range(7)]
    assert codes == [404] * 5 + [429] * 2


def test_staff_pair_and_revoke_a_device_on_the_page(client, database, province):
    staff = province.person((Role.DESK_STAFF, "C1"))
    with database.reading() as session:
        point = session.scalars(
            select(SurveyPoint.id).where(SurveyPoint.unit_id == province.units["C1"])
        ).first()
    made = client.post(
        "/devices/codes",
        data={"point": str(point), "name": "Ki-ốt <b>"} | staff.csrf,
        headers=staff.headers,
    )
    assert made.status_code == 201 and "&lt;b&gt;" in made.text and "<b>" not in made.text
    with database.reading() as session:
        assert session.scalar(select(PairingCode.name)) == "Ki-ốt <b>"
    code = made.text.split('class="code"')[1].split(">")[1].split("<")[0]
    secret = client.post(URL, json={"code": code}).json()["secret"]
    header = {"Authorization": f"Bearer {secret}"}
    assert client.post("/api/v1/responses", json=body(), headers=header).status_code == 201
    with database.reading() as session:
        (device,) = session.scalars(select(Credential.id).where(Credential.point_id == point))
    gone = client.post(f"/devices/{device}/revoke", data=staff.csrf, headers=staff.headers)
    assert gone.headers["location"] == "/devices?done=device_revoked"
    answer = client.post("/api/v1/responses", json=body(), headers=header)
    assert answer.json()["type"] == "/problems/credential-unknown"


def test_a_device_has_no_other_right(database, province, new_code):
    with database.writing() as session:
        devices.pair(session, new_code_in(session, province))
        assert session.scalars(select(Credential.rights)).all() == [Right.SUBMIT]


def new_code_in(session, province):
    point = find_by_code(session, province.points[("C1", "sipas-desk")])
    code = devices.new_code(session, point, "x").code
    session.flush()
    return code
