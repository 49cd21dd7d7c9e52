"""Themes are changed by parts, tried on comments before they are in force, and brought back."""

import html
import re

import pytest
from sqlalchemy import select

from app.access.callers import Caller, Grant
from app.access.models import Right
from app.access.roles import Role
from app.audit.models import AuditEntry
from app.figures.release import ReleaseRule
from app.figures.theme_preview import preview
from app.text_keys import TextKeys
from app.themes.editing import with_theme
from app.themes.reading import first_list, read_list, written
from app.themes.versions import in_force
from tests.small_province import body

MONTH = "2026-04"
LIFT = "Thang máy hay kẹt, đứng mãi"


def send(client, province, unit, texts, month=MONTH):
    bodies = [
        body(
            province.points[unit, "sipas-desk"],
            answers={"A1": 4, "comment": text},
            answered_at=f"{month}-{n % 20 + 1:02}T09:00:00+07:00",
        )
        for n, text in enumerate(texts)
    ]
    province.send(client, bodies)


@pytest.fixture
def analyst(client, province):
    person = province.person((Role.PROVINCIAL_ANALYST, None))

    def ask(method, path, **fields):
        files = fields.pop("files", None)
        data = {"data": person.csrf | fields, "files": files} if method == "POST" else {}
        return client.request(method, path, headers=person.headers, **data)

    return ask


def offered(answer):
    """The list that a preview hands on, and the version that it would replace."""
    assert answer.status_code == 200, answer.text
    text = re.search(r'<textarea name="list" hidden>(.*?)</textarea>', answer.text, re.DOTALL)
    before = re.search(r'name="before" value="(\d+)"', answer.text)
    return {"list": html.unescape(text[1]), "before": before[1]} if text else None


def numbers(answer, theme):
    """A row of the table of effects: before, after, new, gone, otherwise."""
    row = re.search(rf'<tr><th scope="row">{theme}</th>(.*?)</tr>', answer.text, re.DOTALL)
    return [int(each) for each in re.findall(r">(\d+)</td>", row[1])] if row else None


def shown(answer):
    """A page's words."""
    return html.unescape(re.sub(r"<[^>]+>", " ", answer.text))


def test_a_theme_is_added_tried_changed_removed_and_brought_back(client, province, analyst):
    send(client, province, "C1", [f"{LIFT} {n}" for n in range(11)] + ["Chờ lâu"])
    page = analyst("GET", "/themes")
    assert "/themes/edit?code=waiting" in page.text and 'id="list"' in page.text
    tried = analyst(
        "POST", "/themes/edit",
        **{"part": "theme", "name.vi": "Thang máy", "name.en": "Lifts", "words": "Thang máy,  tời",
           "blame": "kẹt\nđứng mãi", "at.best.praise": "lên nhanh", "tone.best": "praise"},
    )  # fmt: skip
    assert numbers(tried, "Thang máy") == [0, 11, 11, 0, 0]
    assert f"{LIFT} " in tried.text and "Chờ lâu" not in tried.text
    with province.database.reading() as session:
        assert in_force(session).number == 0  # nothing holds yet
        entry = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "comments.read")
        ).one()
        assert '"preview"' in entry.details and '"C1"' in entry.details
    assert analyst("POST", "/themes", **offered(tried)).status_code == 303
    with province.database.reading() as session:
        theme = in_force(session).themes.themes[-1]
    assert (theme.code, theme.words, theme.blame) == (
        "lifts",
        ("Thang máy", "tời"),
        ("kẹt", "đứng mãi"),
    )
    assert theme.at["best"].praise == ("lên nhanh",) and theme.tones == {"best": "praise"}
    assert "Điều hài lòng: khen" in shown(analyst("GET", "/themes")).replace(" :", ":")
    # The form has what stands there, and keeps the code.
    form = analyst("GET", "/themes/edit?code=lifts")
    assert "Lý do chưa hài lòng, hỏi trên ki-ốt (kiosk-face/comment)" in form.text
    assert "đứng mãi</textarea>" in form.text and 'value="Lifts"' in form.text
    changed = analyst(
        "POST", "/themes/edit",
        **{"instead_of": "lifts", "code": "lifts", "name.vi": "Thang", "name.en": "Lift",
           "words": "thang máy"},
    )  # fmt: skip
    said = shown(changed)
    assert "Thang / Lift" in said and "kẹt, đứng mãi" in said
    gone = analyst("POST", "/themes/edit", instead_of="lifts", act="remove")
    assert numbers(gone, "Thang máy") == [11, 0, 0, 11, 0]
    assert analyst("POST", "/themes", **offered(gone)).status_code == 303
    # Version 1 again, as version 3; a difference first.
    assert "Thang máy / Lifts" in shown(analyst("GET", "/themes?version=1"))
    back = analyst("POST", "/themes/preview", version="1")
    assert numbers(back, "Thang máy") == [0, 11, 11, 0, 0]
    assert analyst("POST", "/themes", **offered(back)).status_code == 303
    file = analyst("GET", "/themes/list.yaml")
    assert "themes-3.yaml" in file.headers["content-disposition"]
    with province.database.reading() as session:
        assert read_list(file.content) == in_force(session).themes
    # Uploaded again it says the same, and nothing is offered.
    same = analyst("POST", "/themes/preview", files={"file": ("x.yaml", file.content)})
    assert offered(same) is None and "giống bản đang dùng" in same.text
    assert analyst("GET", "/themes/list.yaml?version=9").status_code == 404


def test_mistakes_stand_beside_what_was_typed(analyst, province):
    wrong = analyst(
        "POST", "/themes/edit",
        **{"instead_of": "waiting", "code": "waiting", "name.vi": "", "name.en": "Waiting",
           "words": "chờ\n(a/b", "at.best.words": "x" * 401},
    )  # fmt: skip
    assert wrong.status_code == 422 and 'id="name.vi-error"' in wrong.text
    assert 'id="at.best.words-error"' in wrong.text and "(a/b</textarea>" in wrong.text
    closed = analyst(
        "POST", "/themes/edit",
        **{"instead_of": "waiting", "code": "waiting", "name.vi": "Chờ", "name.en": "W",
           "words": "chờ\n(a/b"},
    )  # fmt: skip
    assert closed.status_code == 422 and "“(a/b”" in closed.text
    twice = analyst("POST", "/themes/edit", **{"name.vi": "Chờ", "name.en": "Waiting"})
    assert twice.status_code == 422 and "waiting có hai lần" in twice.text
    assert analyst("GET", "/themes/edit?code=none").status_code == 404
    assert analyst("POST", "/themes/edit", instead_of="none", act="remove").status_code == 404
    for given in (b"\xff\xfe\x00", b"{", b"a: &x [*x]", b"- 1"):
        answer = analyst("POST", "/themes/preview", files={"file": ("x.yaml", given)})
        assert answer.status_code == 422 and 'id="list-error"' in answer.text
    general = analyst("POST", "/themes/edit", part="general", good="tốt", bad="(x")
    assert general.status_code == 422 and "(x</textarea>" in general.text
    # A list that somebody else has changed meanwhile is not put in force unseen.
    one = offered(analyst("POST", "/themes/edit", part="general", good="tốt ghê"))
    two = offered(analyst("POST", "/themes/edit", part="general", good="tốt quá"))
    assert analyst("POST", "/themes", **one).status_code == 303
    again = analyst("POST", "/themes", **two)
    assert again.status_code == 409 and "tốt quá" in again.text


def test_what_is_withheld_is_in_no_number_of_a_preview(client, province, settings):
    """Whoever may not see few learns nothing of their words, whatever list is tried."""
    caller = Caller("x", (Grant(frozenset({Right.READ_COMMENTS})),))
    rule, keys = ReleaseRule.of(settings), TextKeys.of(settings)
    one_word = {"code": "", "name": {"vi": "Thử", "en": "Probe"}, "words": ["kẹt", "chờ"]}
    tried = with_theme(first_list(), one_word)

    def told():
        return preview(province.database, caller, tried, release_rule=rule, keys=keys)

    send(client, province, "C1", [f"{LIFT} {n}" for n in range(10)])
    before = told()
    assert before.comments == before.readable == 10
    send(client, province, "C2", [f"{LIFT} của C2"] * 9)
    assert told() == before
    # And what is not released of the running month.
    assert read_list(written(tried).encode()) == tried
