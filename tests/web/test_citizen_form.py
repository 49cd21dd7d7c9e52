"""The form behind a QR code over HTTP: complete without script, counted once, kind in refusing."""

import gzip
import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import select

from app.intake.models import Response, ResponseText
from app.registry.models import Channel, PointState, Unit
from app.registry.points import change_state, current_code, find_by_code, open_point, reprint
from app.registry.questionnaires import published
from app.web.citizen.shown import POLICY
from tests.conftest import serving
from tests.web.citizen import stored


def hidden(page):
    return dict(re.findall(r'<input type="hidden" name="(id|opened)" value="([^"]+)"', page))


def fill(client, code, new="", **answers):
    """What a browser without script does: open the form, fill it in, send it."""
    form = hidden(client.get(f"/q/{code}{new}").text)
    data = form | {f"a.{item}": value for item, value in answers.items()}
    return client.post(f"/q/{code}", data=data)


def test_a_form_is_filled_in_without_script_and_thanked_for(client, code, database):
    answer = fill(client, code, A1="5", B1="none", C1="2", trips="1", comment="Cảm ơn")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/q/{code}/thanks")
    page = client.get(answer.headers["location"])
    assert "Cảm ơn ý kiến của Ông/Bà" in page.text and "Đơn vị C1" in page.text
    with database.reading() as session:
        row = session.scalars(select(Response)).one()
        versions = {version.id: version for version in published(session)}
        answers = versions[row.version_id].sheet.unpack(row.packed)
        text = session.scalars(select(ResponseText.body)).one()
    assert answers == {"A1": 5, "B1": None, "C1": 2, "trips": 1} and text == "Cảm ơn"
    assert row.channel == "qr" and 0 <= row.duration_s < 60 and row.language == "vi"


def test_a_script_is_told_where_the_thanks_are_without_a_redirect(client, code, database):
    form = hidden(client.get(f"/q/{code}").text) | {"a.A1": "5"}
    for _ in range(2):
        answer = client.post(f"/q/{code}", data=form, headers={"Accept": "application/json"})
        assert answer.status_code == 201
        assert answer.headers["location"].startswith(f"/q/{code}/thanks")
    assert stored(database) == 1


def test_each_kind_of_item_arrives_as_it_was_meant(province, client, database):
    with database.writing() as session:
        unit = session.get_one(Unit, province.units["W1"])
        point = open_point(session, unit, "moh-inpatient", Channel.QR, "x")
        other = open_point(session, unit, "online-service", Channel.QR, "y")
        face = open_point(session, unit, "kiosk-face", Channel.QR, "z")
        codes = [current_code(each) for each in (point, other, face)]
        forms = {version.form.code: version.form for version in published(session)}
    for code, form in zip(codes, ("moh-inpatient", "online-service", "kiosk-face"), strict=True):
        sent = {}
        for item in forms[form].items:
            match item.kind:
                case "single_choice":
                    sent[item.code] = str(item.options[0].value)
                case "multiple_choice":
                    sent[item.code] = ["1", "3"]
                case "zero_to_ten":
                    sent[item.code] = "10"
                case "percent" | "number":
                    sent[item.code] = "42"
                case "short_text" | "long_text":
                    sent[item.code] = "lời"
                case _:
                    sent[item.code] = "2"
        answer = fill(client, code, **sent)
        assert answer.status_code == 303, re.findall(r'class="error"[^>]*>([^<]+)', answer.text)
    assert stored(database) == 3


def test_an_answer_to_a_question_that_does_not_apply_is_no_mistake(province, client, database):
    code = province.points[("C1", "kiosk-face")]
    answer = fill(client, code, S1="5", reason=["1"], comment="chờ lâu")
    assert answer.status_code == 303
    with database.reading() as session:
        assert session.scalars(select(ResponseText)).all() == []


def test_mistakes_stand_beside_their_questions_and_nothing_is_lost(province, client, database):
    with database.writing() as session:
        unit = session.get_one(Unit, province.units["W1"])
        code = current_code(open_point(session, unit, "moh-inpatient", Channel.QR, "x"))
    answer = fill(client, code, A1="4", age="bốn mươi", comment="giữ <b>nguyên</b>")
    assert answer.status_code == 422
    page = answer.text
    assert 'id="summary" role="alert" tabindex="-1" autofocus' in page
    assert 'href="#q-age"' in page and 'id="e-age"' in page and 'aria-describedby="e-age"' in page
    assert re.search(r'name="a.A1" value="4" checked', page)
    assert 'value="bốn mươi"' in page and "giữ &lt;b&gt;nguyên&lt;/b&gt;" in page
    # Mended, it is taken under the same id.
    again = client.post(
        f"/q/{code}", data=hidden(page) | {"a.A1": "4", "a.age": "40", "a.comment": "x"}
    )
    assert again.status_code == 303 and stored(database) == 1


def test_a_form_says_which_questions_may_be_left_out(client, province, code):
    free, bound = "câu nào không muốn thì bỏ qua", "câu nào không ghi “cần trả lời”"
    page = client.get(f"/q/{code}").text
    assert free in page and bound not in page and "(cần trả lời)" not in page
    page = client.get(f"/q/{province.points[('C1', 'kiosk-face')]}").text
    assert bound in page and free not in page and "(cần trả lời)" in page
    # And of which several answers may be chosen: of its three questions, one.
    assert page.count("Có thể chọn nhiều câu trả lời.") == 1


def test_a_unit_that_says_what_the_question_says_is_not_said_again(client, province, database):
    with database.writing() as session:
        unit = session.get_one(Unit, province.units["C1"])
        code = current_code(open_point(session, unit, "moh-inpatient", Channel.QR, "x"))
    page = client.get(f"/q/{code}").text
    assert 'for="i-age">Tuổi</label>' in page and "(tuổi)" not in page
    assert 'for="i-age">Age (years)</label>' in client.get(f"/q/{code}?lang=en").text


def test_an_empty_form_is_asked_for_one_answer(client, code, database):
    answer = fill(client, code)
    assert answer.status_code == 422 and "ít nhất một câu hỏi" in answer.text
    assert fill(client, code, comment="  ").status_code == 422
    assert stored(database) == 0


def test_double_tap_back_reload_and_two_tabs_are_counted_once(client, code, database):
    first = hidden(client.get(f"/q/{code}").text)
    other_tab = hidden(client.get(f"/q/{code}").text)
    assert other_tab["id"] == first["id"]
    data = first | {"a.A1": "5"}
    for _ in range(2):  # a double tap
        assert client.post(f"/q/{code}", data=data).status_code == 303
    # The other tab, with other answers: the first are counted, and it is said so.
    changed = client.post(f"/q/{code}", data=other_tab | {"a.A1": "1"})
    assert changed.headers["location"] == f"/q/{code}/thanks?already=1"
    assert "đã được ghi nhận" in client.get(changed.headers["location"]).text
    # Back to the form: thanked instead of asked again.
    assert "đã được ghi nhận" in client.get(f"/q/{code}").text
    assert stored(database) == 1
    # Another visit, or another member of the family with the same phone.
    assert fill(client, code, new="?new=1", A1="2").status_code == 303
    assert stored(database) == 2


def test_a_double_tap_is_counted_once_without_cookies_too(client, code, database):
    form = hidden(httpx.get(f"{client.base_url}/q/{code}").text) | {"a.A1": "5"}
    answers = [httpx.post(f"{client.base_url}/q/{code}", data=form) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [303] * 3
    assert stored(database) == 1


def test_two_phones_are_two_respondents(client, code, database):
    for _ in range(2):
        with httpx.Client(base_url=client.base_url) as phone:
            assert fill(phone, code, A1="5").status_code == 303
    assert stored(database) == 2


@pytest.mark.parametrize(
    ("header", "query", "language"),
    [
        ("vi", "", "vi"),
        ("en-GB,en", "", "en"),
        ("fr", "", "vi"),
        ("vi", "?lang=en", "en"),
        ("en", "?lang=vi", "vi"),
        ("en", "?lang=xx", "en"),
    ],
)
def test_the_language_is_the_links_or_the_browsers(client, code, header, query, language):
    page = client.get(f"/q/{code}{query}", headers={"Accept-Language": header})
    assert f'<html lang="{language}">' in page.text
    assert page.headers["content-language"] == language
    assert ("Send</button>" in page.text) == (language == "en")


def test_switching_the_language_hands_back_what_was_given(client, code, database):
    form = hidden(client.get(f"/q/{code}").text)
    given = form | {"a.A1": "2", "a.B1": "none", "a.comment": "còn đây", "reword": ""}
    page = client.post(f"/q/{code}?lang=en", data=given)
    assert page.status_code == 200 and '<html lang="en">' in page.text
    assert hidden(page.text) == form and "còn đây" in page.text
    assert re.search(r'name="a.A1" value="2" checked', page.text)
    assert re.search(r'name="a.B1" value="none" checked', page.text)
    assert 'id="summary"' not in page.text and stored(database) == 0
    # Nothing given is no mistake, and what was sent is not asked for again.
    assert 'id="summary"' not in client.post(f"/q/{code}", data=form | {"reword": ""}).text
    assert client.post(f"/q/{code}?lang=en", data=form | {"a.A1": "2"}).status_code == 303
    assert "have been counted" in client.post(f"/q/{code}?lang=en", data=given).text
    assert stored(database) == 1


def test_the_whole_form_is_under_30_kb_on_the_wire(client, province, database):
    """The page with its styles, its script and its icon, as a browser fetches them."""
    for form in ("sipas-desk", "moh-inpatient", "moh-outpatient", "online-service"):
        with database.writing() as session:
            unit = session.get_one(Unit, province.units["W1"])
            code = current_code(open_point(session, unit, form, Channel.QR, form))
        size = 0
        page = client.get(f"/q/{code}").text
        for path in {f"/q/{code}", *re.findall(r'(?:src|href)="(/static/[^"]+)"', page)}:
            with client.stream("GET", path, headers={"Accept-Encoding": "gzip"}) as answer:
                size += sum(len(part) for part in answer.iter_raw())
                size += sum(len(k) + len(v) + 4 for k, v in answer.headers.raw)
        assert size < 30_000, f"{form}: {size} bytes"
        # Drawn without a second request: the styles stand in the page, by a hash in the policy.
        assert '<link rel="stylesheet"' not in page and "<style>" in page


def test_the_policy_allows_the_pages_own_styles_and_nothing_inline_else(client, code):
    answer = client.get(f"/q/{code}")
    assert answer.headers.get_list("content-security-policy") == [POLICY]
    assert "unsafe" not in POLICY and re.search(r"style-src 'self' 'sha256-[\w+/=]{44}'", POLICY)
    assert not re.search(r"<script(?![^>]*src=)", answer.text) and " style=" not in answer.text


def test_a_page_is_compressed_if_the_browser_takes_it(client, code):
    plain = client.get(f"/q/{code}", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    with client.stream("GET", f"/q/{code}", headers={"Accept-Encoding": "gzip"}) as packed:
        assert packed.headers["content-encoding"] == "gzip"
        body = gzip.decompress(b"".join(packed.iter_raw()))
    assert b"<form" in body and packed.headers["vary"]


@pytest.mark.parametrize("token", ["NOSUCH2", "x", "%00", "..%2f..%2fetc", "A" * 200, "💣"])
def test_an_unknown_code_gets_a_friendly_page(client, token):
    answer = client.get(f"/q/{token}")
    assert answer.status_code == 404
    if "/" not in token and "%2f" not in token:
        assert "quét lại mã QR" in answer.text and "problem" not in answer.text


def test_a_code_is_typed_in_small_letters_too_and_is_the_same_form(client, code, database):
    """The browser keeps its id by the form's path: by another spelling it would answer twice."""
    typed = client.get(f"/q/{code.lower()}?lang=en")
    assert typed.headers["location"] == f"/q/{code}?lang=en"
    page = client.get(f"/q/{code.lower()}", follow_redirects=True)
    assert client.post(f"/q/{code}", data=hidden(page.text) | {"a.A1": "5"}).status_code == 303
    again = client.get(f"/q/{code.lower()}", follow_redirects=True)
    assert "đã được ghi nhận" in again.text and stored(database) == 1


def test_what_takes_no_answers_says_so_and_stores_none(client, province, database, code):
    def with_point(change):
        with database.writing() as session:
            change(session, find_by_code(session, code))

    now = datetime.now(UTC)
    for change, status, said in (
        (lambda s, p: change_state(s, p, PointState.PAUSED), 403, "tạm nghỉ"),
        (lambda s, p: change_state(s, p, PointState.ACTIVE), 200, "Gửi ý kiến"),
        (lambda s, p: setattr(p, "opens_at", now + timedelta(days=1)), 403, "chưa mở"),
        (lambda s, p: setattr(p, "opens_at", None), 200, "Gửi ý kiến"),
        (lambda s, p: setattr(p, "closes_at", now - timedelta(days=1)), 403, "đã kết thúc"),
        (lambda s, p: setattr(p, "closes_at", None), 200, "Gửi ý kiến"),
        (lambda s, p: reprint(s, p), 410, "đã cũ"),
    ):
        with_point(change)
        for answer in (client.get(f"/q/{code}"), client.post(f"/q/{code}", data={"a.A1": "5"})):
            if status != 200:
                assert answer.status_code == status and said in answer.text
        if status == 200:
            assert said in client.get(f"/q/{code}?new=1").text
    with database.reading() as session:
        days = session.scalars(select(Response.id)).all()
    assert len(days) <= 3


def test_too_many_from_one_address_are_told_to_wait_and_lose_nothing(province, settings, code):
    few = settings.model_copy(update={"public_rate": "1 per 1 hour"})
    with serving(few) as client:
        assert fill(client, code, A1="5").status_code == 303
        answer = fill(client, code, new="?new=1", A1="3", comment="còn đây")
    assert answer.status_code == 429 and int(answer.headers["retry-after"]) > 0
    assert "còn đây" in answer.text and 'value="3" checked' in answer.text


@pytest.mark.parametrize("value", ["9", "0", "-1", "1e9", "x", "²", "\x00", "5.5", "true"])
def test_a_level_that_is_none_is_a_mistake_and_no_defect(client, code, value):
    answer = fill(client, code, A1=value)
    assert answer.status_code == 422 and 'id="e-A1"' in answer.text


def test_what_was_tampered_with_is_made_anew(client, code, database):
    for form in ({"id": "x", "opened": "y"}, {"id": "", "opened": "9" * 30}, {}):
        assert client.post(f"/q/{code}", data=form | {"a.A1": "5"}).status_code == 303
    assert stored(database) == 3
