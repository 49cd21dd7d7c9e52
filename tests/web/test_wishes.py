"""The wish for a reply on the form without script: the server draws the code and shows it once."""

import re

import pytest
from sqlalchemy import func, select

from app.access.tokens import hash_of
from app.cases.citizens import as_typed, grouped
from app.cases.models import CaseSubject
from app.cases.opening import open_wishes
from app.clock import local_today
from app.intake.models import ReplyCode, Response
from tests.cases.sent import SETTINGS, new_code
from tests.conftest import serving
from tests.web.citizen import stored

HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]+)"')
TICKED = re.compile(r'name="reply" value="1"[^>]* checked')


def opened(client, path):
    """What the form of a page carries that nobody types."""
    return dict(HIDDEN.findall(client.get(path).text))


def shown_code(answer):
    """The code that a page shows, in its groups; None where it shows none."""
    found = re.search(r'id="reply-code" translate="no">([^<]*)</p>', answer.text)
    return found and (found[1] or None)


def codes(database):
    with database.reading() as session:
        return dict(session.execute(select(ReplyCode.code_hash, ReplyCode.response_id)).all())


def test_the_code_comes_in_the_answer_alone_and_opens_the_case(client, code, database):
    path = f"/q/{code}"
    form = opened(client, path)
    sent = form | {"a.A1": "1", "a.comment": "Chờ lâu", "reply": "1"}
    answers = [client.post(path, data=sent, headers={"Accept-Encoding": "gzip"}) for _ in range(3)]
    for answer in answers:  # a double tap, and a reload that sends again
        assert answer.status_code == 200 and shown_code(answer) == grouped(form["reply_code"])
        assert answer.headers["cache-control"] == "no-store"
        assert "content-encoding" not in answer.headers
        told = [value for name, value in answer.headers.items() if name != "content-length"]
        assert not any(form["reply_code"] in each for each in told)
    assert f">{str(client.base_url).rstrip('/')}/c</a>" in answers[0].text
    assert list(codes(database)) == [hash_of(form["reply_code"])] and stored(database) == 1
    # It is shown to whoever sent it, not to whoever comes back to the page.
    for page in (client.get(path), client.get(f"{path}/thanks?reply=kept")):
        assert page.status_code == 200 and shown_code(page) is None
        assert form["reply_code"] not in page.text
    open_wishes(database, SETTINGS, local_today(SETTINGS.zone))
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(CaseSubject)) == 1
    reply = client.post("/c", data={"code": shown_code(answers[0]).lower()})
    assert reply.status_code == 200 and "Đơn vị C1" in reply.text


def test_who_ticks_nothing_has_no_case(client, code, database):
    path = f"/q/{code}"
    answer = client.post(path, data=opened(client, path) | {"a.A1": "1"})
    assert answer.status_code == 303 and "reply" not in answer.headers["location"]
    assert codes(database) == {} and stored(database) == 1


def test_no_code_is_shown_that_opens_nothing(client, code, database):
    """Of two tabs the first is counted; the other's code is nobody's."""
    path = f"/q/{code}"
    first, other = opened(client, path), opened(client, path)
    assert first["id"] == other["id"] and first["reply_code"] != other["reply_code"]
    assert client.post(path, data=first | {"a.A1": "1", "reply": "1"}).status_code == 200
    void = client.post(path, data=other | {"a.A1": "1", "reply": "1"})
    assert void.headers["location"] == f"{path}/thanks?already=1&reply=void"
    page = client.get(void.headers["location"])
    assert "yêu cầu trả lời của lần gửi này không được nhận" in page.text
    assert shown_code(page) is None
    # Other answers with the code that is kept: they are not counted, but it opens the first.
    changed = client.post(path, data=first | {"a.A1": "2", "reply": "1"})
    assert shown_code(changed) == grouped(first["reply_code"])
    assert "đã được ghi nhận" in changed.text
    assert list(codes(database)) == [hash_of(first["reply_code"])] and stored(database) == 1


def test_tick_and_code_survive_a_mistake_another_language_and_a_wait(
    settings, province, code, database
):
    path = f"/q/{code}"
    with serving(settings.model_copy(update={"public_rate": "1 per 1 hour"})) as client:
        form = opened(client, path)
        ticked = form | {"reply": "1"}
        crowd = form | {"id": "", "a.A1": "5"}
        for more, status in (({}, 422), ({"reword": "", "a.A1": "2"}, 200), ({"a.A1": "2"}, 429)):
            if status == 429:
                assert client.post(path, data=crowd).status_code == 303  # somebody else
            page = client.post(f"{path}?lang=en", data=ticked | more)
            assert page.status_code == status and TICKED.search(page.text), status
            assert dict(HIDDEN.findall(page.text))["reply_code"] == form["reply_code"]
        assert not TICKED.search(client.post(path, data=form).text)
    assert codes(database) == {}


@pytest.mark.parametrize("sent", ["", "x", "0" * 15, "U" * 16, "0" * 500, "\x00" * 16])
def test_what_is_no_code_is_drawn_anew(client, code, database, sent):
    answer = client.post(f"/q/{code}", data={"a.A1": "1", "reply": "1", "reply_code": sent})
    drawn = as_typed(shown_code(answer))
    assert drawn != as_typed(sent) and list(codes(database)) == [hash_of(drawn)]


def test_a_code_that_is_taken_is_drawn_anew_by_whoever_drew_it(client, code, database):
    path, mine = f"/q/{code}", new_code()
    client.post(path, data={"a.A1": "1", "reply": "1", "reply_code": mine})
    # The server, for who has no script:
    answer = client.post(path, data={"a.A1": "2", "reply": "1", "reply_code": mine})
    assert answer.status_code == 200 and shown_code(answer) not in (None, grouped(mine))
    assert set(codes(database)) == {hash_of(mine), hash_of(as_typed(shown_code(answer)))}
    # The script, which is told so, whether it sent the code or its hash.
    for more in ({"reply_code_hash": hash_of(mine)}, {"reply": "1", "reply_code": mine}):
        refused = client.post(
            path, data={"a.A1": "3"} | more, headers={"Accept": "application/json"}
        )
        assert refused.status_code == 409
        assert refused.json()["type"] == "/problems/reply-code-taken"
    # A form that was sent with a hash and without our script comes back as it was filled in.
    page = client.post(path, data={"a.A1": "3", "reply_code_hash": hash_of(mine), "reply": "1"})
    assert page.status_code == 409 and TICKED.search(page.text) and 'value="3" checked' in page.text
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Response)) == 2


def test_the_script_is_told_where_the_thanks_are_and_what_became_of_the_wish(client, code):
    path, scripted = f"/q/{code}", {"Accept": "application/json"}
    form = opened(client, path) | {"a.A1": "1", "reply": "1"}
    first, other = new_code(), new_code()
    for mine, told in (
        (first, "reply=kept"), (first, "already=1&reply=kept"), (other, "already=1&reply=void"),
    ):  # fmt: skip
        data = form | {"reply_code_hash": hash_of(mine)}
        answer = client.post(path, data=data, headers=scripted)
        assert answer.status_code == 201
        assert answer.headers["location"] == f"{path}/thanks?{told}"
