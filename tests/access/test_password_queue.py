"""Hashes of passwords: so many at once, whoever comes, and a short queue before them."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from app.access import accounts, passwords
from app.access.roles import Role
from tests.access.test_sign_in import GOOD, sign_in
from tests.conftest import serving
from tests.small_province import body

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Counting:
    """Stands for Argon2: takes its time, and counts how many do so at once."""

    def __init__(self, seconds):
        self.seconds, self.now, self.most = seconds, 0, 0
        self._lock = threading.Lock()

    def verify(self, password, kept):
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(self.seconds)
        with self._lock:
            self.now -= 1
        return password == GOOD

    def hash(self, password):
        self.verify(password, "")
        return "hashed"


def test_never_more_hashes_at_once_than_allowed_and_who_waits_too_long_is_told(
    province, settings, monkeypatch
):
    province.person((Role.OPERATOR, None), email="an@tinh.vn", password=GOOD)
    short = settings.model_copy(
        update={"password_waiting": 4, "sign_in_rate": "90/hour", "sign_in_address_rate": "90/hour"}
    )
    slow = Counting(0.3)
    monkeypatch.setattr(passwords, "_argon2", slow)
    with serving(short) as client:
        address = str(client.base_url)
        code = province.points[("C1", "sipas-desk")]

        def one(_):
            with httpx.Client(base_url=address, timeout=30) as own:
                return sign_in(own)

        with ThreadPoolExecutor(30) as pool:
            answers = pool.map(one, range(30))
            time.sleep(0.2)
            began = time.monotonic()
            # The page of a citizen and an answer do not wait for them.
            assert client.get(f"/q/{code}").status_code == 200
            assert client.post("/api/v1/responses", json=body(code)).status_code == 201
            assert time.monotonic() - began < 5
            answers = list(answers)
        codes = [answer.status_code for answer in answers]
        assert set(codes) == {303, 503} and passwords.AT_ONCE + 4 <= codes.count(303) < 30
        busy = next(answer for answer in answers if answer.status_code == 503)
        assert busy.headers["retry-after"] == "3" and "đang đăng nhập" in busy.text
        assert slow.most == passwords.AT_ONCE
        # It is over with them; nobody has lost an attempt, or a place in the queue.
        assert sign_in(client).status_code == 303


def test_setting_a_password_locks_nothing_while_it_is_hashed(province, settings, monkeypatch):
    person = province.person(email="an@tinh.vn", password=GOOD)
    with province.database.writing() as session:
        link = accounts.reset(session, accounts.find(session, person.email))
    slow = Counting(3)
    monkeypatch.setattr(passwords, "_argon2", slow)
    with serving(settings) as client, ThreadPoolExecutor(1) as pool:
        form = {"password": GOOD, "again": GOOD}
        setting = pool.submit(client.post, f"/password/{link}", data=form)
        until = time.monotonic() + 30
        while not slow.now and time.monotonic() < until:
            time.sleep(0.01)
        answered = client.post(
            "/api/v1/responses", json=body(province.points[("C1", "sipas-desk")])
        )
        assert slow.now == 1 and answered.status_code == 201
        assert setting.result().status_code == 303
