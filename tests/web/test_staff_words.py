"""Pages for staff say what codes mean: no role, right or questionnaire by its code alone."""

import re
from html import unescape

import pytest

from app.access import accounts, credentials, devices
from app.access.callers import owner
from app.access.models import Right, Sector
from app.access.roles import Role
from app.audit.log import record
from app.figures.limit_decisions import Wish, decide
from app.figures.periods import Step
from app.messages import catalogue
from app.registry.models import Channel, PointState, SurveyPoint, Unit
from app.registry.points import change_state
from tests.small_province import POINTS, UNITS

PAGES = (
    "/", "/devices", "/posters", "/posters?unit=C1", "/accounts", "/accounts/new", "/keys",
    "/keys/new", "/audit", "/profile", "/limits?unit=C1", "/action-notes?unit=C1",
    "/reorganisations", "/response-imports",
)  # fmt: skip
FORMS = {form for _, form, _ in POINTS}
#: Codes that mean nothing to a reader; "paper" and "web" are English words as well.
CODES = {
    *FORMS, *(right.value for right in Right), *(role.value for role in Role if "-" in role.value),
    *(state.value for state in PointState), "password",
}  # fmt: skip
UNIT_CODES = {code for code, *_ in UNITS}


def shown(html):
    """What a reader sees: no scripts, no attributes."""
    html = re.sub(r"(?s)<(script|style|head|code)\b.*?</\1>", " ", html)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def alone(code, text):
    """Where a code stands that is not in brackets behind a name."""
    found = re.finditer(rf"(?<![\w/.-]){re.escape(code)}(?![\w/-])", text)
    return [
        text[max(0, m.start() - 40) : m.end() + 20]
        for m in found
        if not re.search(r"\S \( ?$", text[: m.start()])
    ]


@pytest.mark.parametrize(
    ("text", "stands_alone"),
    [
        ("Tên (sipas-desk)", False),
        ("Tên · sipas-desk", True),
        ("sipas-desk", True),
        ("Xã ( sipas-desk )", False),
        ("sipas-desk/1", False),
    ],
)
def test_what_stands_alone(text, stands_alone):
    assert bool(alone("sipas-desk", text)) == stands_alone


@pytest.fixture
def busy(province):
    """Somebody who may see everything, in a province where every sort of entry was made."""
    person = province.person((Role.OPERATOR, None), (Role.PROVINCIAL_ANALYST, None))
    with province.database.writing("command:root") as session:
        unit = session.get_one(Unit, province.units["C1"])
        point = session.query(SurveyPoint).filter_by(unit_id=unit.id, channel=Channel.KIOSK).one()
        for each in session.query(SurveyPoint):
            each.name = "Quầy tiếp nhận"
        devices.new_code(session, point, "Ki-ốt 1")
        credentials.issue(session, "Máy 1", [Right.SUBMIT], point)
        credentials.issue(session, "Khóa 1", [Right.READ_FIGURES, Right.READ_REGISTRY], unit=unit)
        account = accounts.add(session, "y@tinh.vn", "Y tế")
        accounts.grant(session, account, Role.DEPARTMENT_ANALYST, None, Sector.HEALTH)
        accounts.grant(session, account, Role.UNIT_HEAD, unit, None)
        for state in (PointState.PAUSED, PointState.ACTIVE):
            change_state(session, point, state)
        record(session, "account.sign_in", "y@tinh.vn", by="password")
        record(session, "comments.read", "2026-10", units=["C1", "C2"], questionnaire="sipas-desk")
        record(session, "rollups.rebuild", "all", cells=3)
        reason = "Trụ sở mới"
        wish = Wish("C1", "sipas-desk", Step.MONTH, "2026-04", reason, None, None)
        decide(session, owner("command:root"), wish)
    return person


def as_browser(person, language):
    return {"Accept": "text/html", "Cookie": f"{person.headers['Cookie']}; language={language}"}


@pytest.mark.parametrize("language", ["vi", "en"])
def test_no_code_stands_alone(client, busy, language):
    for path in PAGES:
        answer = client.get(path, headers=as_browser(busy, language))
        assert answer.status_code == 200, (path, answer.text[:300])
        text = shown(answer.text)
        # Names of units in this province end in their codes, so that these are looked at apart.
        words = {code for code in CODES if code not in catalogue(language).values()}
        if language == "en":
            words -= {"password", "active", "paused", "revoked"}
        assert {code: alone(code, text) for code in sorted(words) if alone(code, text)} == {}, path
        name = "Đơn vị" if language == "vi" else "Unit"
        for code in UNIT_CODES:
            assert not re.findall(rf"(?<!{name} )(?<![(\w/.-])(?<!\( ){code}(?![\w/-])", text), (
                path, code, text,
            )  # fmt: skip


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_log_says_what_was_done_in_words(client, busy, language):
    text = shown(client.get("/audit", headers=as_browser(busy, language)).text)
    expected = {
        "vi": (
            "Lệnh trên máy chủ (root)", "Hệ thống", "bằng mật khẩu", "đơn vị Đơn vị C1 (C1)",
            "Ý kiến người bệnh nội trú (moh-inpatient), phiên bản", "kênh ki-ốt",
            "vai trò Chuyên viên phân tích của sở", "ngành Ngành y tế", "sau tạm dừng",
            "đơn vị Đơn vị C1 (C1), Đơn vị C2 (C2)", "quyền Xem số liệu, Xem đơn vị",
            "độ dài kỳ Tháng", "Điểm khảo sát số",
        ),
        "en": (
            "Command on the server (root)", "The system", "by password", "unit Unit C1 (C1)",
            "Inpatients’ opinion (moh-inpatient), version", "after paused",
            "units Unit C1 (C1), Unit C2 (C2)", "Survey point No",
        ),
    }[language]  # fmt: skip
    assert [said for said in expected if said not in text] == []
