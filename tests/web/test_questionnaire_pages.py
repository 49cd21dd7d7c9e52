"""Questionnaires are written on pages: by parts, tried, checked, published, withdrawn."""

import html
import io
import json
import re

import openpyxl
import pytest
import yaml
from sqlalchemy import select

from app.access.roles import Role
from app.audit.models import AuditEntry
from app.registry.form_drafts import all_drafts, draft
from app.registry.questionnaires import offered, version_of, versions_of
from surveys import check_file, load_directory
from surveys.formats import Format, read_form, write_form
from tests.small_province import body

FORM = load_directory()[("sipas-desk", 2)]
HEAD = ["type", "name", "label::English (en)", "label::Tiếng Việt (vi)"]


@pytest.fixture
def writer(client, province):
    """Asks as somebody who writes questionnaires."""
    person = province.person((Role.PROVINCIAL_ANALYST, None))

    def ask(method, path, **fields):
        files = fields.pop("files", None)
        data = {"data": person.csrf | fields, "files": files} if method == "POST" else {}
        return client.request(method, path, headers=person.headers, **data)

    return ask


def shown(answer):
    """A page's words."""
    return html.unescape(re.sub(r"<[^>]+>", " ", answer.text))


def begun(answer):
    """The address of a draft that was begun."""
    assert answer.status_code == 303, shown(answer)
    return answer.headers["location"].partition("?")[0]


def fields_in(answer):
    """What a browser would send of a part's form."""
    form = re.search(r'<form class="card" id="part".*?</form>', answer.text, re.DOTALL)[0]
    found = {}
    for tag in re.findall(r"<input [^>]*>", form):
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and (" checked" in tag or 'type="checkbox"' not in tag):
            found[name[1]] = html.unescape(value[1]) if value else ""
    for name, text in re.findall(
        r'<textarea[^>]* name="([^"]+)"[^>]*>(.*?)</textarea>', form, re.S
    ):
        found[name] = html.unescape(text)
    for name, options in re.findall(r'<select [^>]*name="([^"]+)".*?>(.*?)</select>', form, re.S):
        chosen = re.search(r'value="([^"]*)" selected', options) or re.search(
            r'value="([^"]*)"', options
        )
        found[name] = html.unescape(chosen[1]) if chosen else ""
    return {name: value for name, value in found.items() if name != "csrf_token"}


def test_a_questionnaire_is_written_from_nothing_and_asked(writer, client, database, province):
    at = begun(writer("POST", "/questionnaires/drafts", code="quay-moi", title_vi="Quầy mới",
                      title_en="New desk"))  # fmt: skip

    def save(part, place="", **fields):
        path = f"{at}/edit?part={part}&at={place}"
        page = writer("GET", path)
        assert page.status_code == 200
        answer = writer("POST", path, **(fields_in(page) | fields))
        return answer

    page = writer("GET", at)
    assert "Chưa có yếu tố." in shown(page) and "/publish" not in page.text
    assert "part=factor" in page.text
    assert (
        save("factor", code="A", **{"title.vi": "Tiếp đón", "title.en": "Welcome"}).status_code
        == 303
    )
    said = shown(writer("GET", at))
    assert "Yếu tố A chưa có câu hỏi." in said and "Chưa có yếu tố nào tính vào chỉ số." in said
    assert "Chưa xem thử được" in shown(writer("GET", f"{at}/preview"))
    wrong = save("item", "0", code="1A", **{"text.vi": "", "text.en": "Polite?"})
    assert wrong.status_code == 422
    assert 'id="code-error"' in wrong.text and 'id="text.vi-error"' in wrong.text
    assert ">Polite?</textarea>" in wrong.text
    words = {"text.vi": "Nhân viên lịch sự?", "text.en": "Was the staff polite?"}
    assert save("item", "0", code="A1", **words).status_code == 303
    assert save("scoring", **{"index.A": "yes"}).status_code == 303
    # A question that is asked after another: chosen first, then its answers are ticked.
    why = {"code": "why", "kind": "long_text", "if": "A1", "group": "more",
           "text.vi": "Vì sao?", "text.en": "Why?"}  # fmt: skip
    unticked = save("item", "more", **why)
    assert unticked.status_code == 422 and 'id="is-error"' in unticked.text
    assert "Rất không hài lòng" in shown(unticked)
    assert save("item", "more", **why, **{"is.1": "yes", "is.2": "yes"}).status_code == 303
    choice = {"code": "way", "kind": "single_choice", "text.vi": "Bằng gì?", "text.en": "How?",
              "option.0.vi": "Xe máy", "option.0.en": "Motorbike", "option.2.vi": "Xe buýt",
              "option.2.en": "Bus", "option.2.value": "7"}  # fmt: skip
    assert save("item", "more", **choice).status_code == 303
    language = {"language.0.code": "km", "language.0.name": "ភាសាខ្មែរ"}
    assert save("form", **language).status_code == 303
    item = save("item", "0.0", **{"text.km": "បុគ្គលិក?"})
    assert item.status_code == 303 and item.headers["location"].endswith("#item-0.0")
    page = writer("GET", at)
    assert "Không có gì sai." in shown(page) and "បុគ្គលិក?" in shown(page)
    assert 'lang="km"' in page.text
    written = writer("GET", f"{at}/form.yaml").text
    document = yaml.safe_load(written)
    assert document["more"][1]["options"][0]["value"] == 1
    assert document["more"][1]["options"][1]["value"] == 7
    assert document["more"][0]["shown_if"] == {"item": "A1", "is": [1, 2]}
    revision = re.search(r'name="revision" value="(\d+)"', page.text)[1]
    done = writer("POST", f"{at}/publish", revision=revision, before="0")
    assert done.headers["location"].startswith("/questionnaires/quay-moi/versions/1")
    assert writer("GET", at).status_code == 404
    with database.reading() as session:
        form = version_of(session, "quay-moi", 1).form
        assert form.languages == {"km": "ភាសាខ្មែរ"}
        actions = [e.action for e in session.scalars(select(AuditEntry))]
        assert {"draft.add", "draft.change", "questionnaire.publish"} <= set(actions)


def test_a_new_version_shows_its_differences_and_is_withdrawn_and_used_again(
    writer, client, province, database
):
    code = province.points["C1", "sipas-desk"]
    at = begun(writer("POST", "/questionnaires/drafts", code="sipas-desk", version="2"))
    same = shown(writer("GET", at))
    assert "Bản nháp giống bản đã công bố." in same
    path = f"{at}/edit?part=item&at=0.0"
    fields = fields_in(writer("GET", path))
    assert (
        fields["text.vi"] == FORM.factors[0].items[0].text.vi and fields["scale"] == "satisfaction"
    )
    # Tried before it is saved: the preview has it, the draft has not.
    tried = writer("POST", f"{at}/preview?part=item&at=0.0", **(fields | {"text.vi": "Ghế có đủ?"}))
    assert "Ghế có đủ?" in tried.text and tried.headers["x-frame-options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in tried.headers["content-security-policy"]
    assert "Ghế có đủ?" not in writer("GET", f"{at}/preview").text
    assert writer("POST", path, **(fields | {"text.vi": "Ghế có đủ?"})).status_code == 303
    page = writer("GET", at)
    assert "Câu hỏi A1 · câu chữ · Tiếng Việt" in shown(page) and "hỏi điều khác" in shown(page)
    # Somebody who has not seen this is told so, and nothing is lost or published.
    stale = writer("POST", path, **(fields | {"text.vi": "Cũ"}))
    assert stale.status_code == 409
    assert writer("POST", f"{at}/publish", revision="1", before="2").status_code == 409
    assert writer("POST", f"{at}/publish", revision="2", before="1").status_code == 409
    assert writer("POST", f"{at}/publish", revision="2", before="2").status_code == 303
    assert "Ghế có đủ?" in client.get(f"/q/{code}").text
    version = "/questionnaires/sipas-desk/versions/3"
    assert "đang dùng" in shown(writer("GET", version))
    opened = client.get(f"/q/{code}").text
    assert 'name="version" value="3"' in opened
    assert writer("POST", f"{version}/withdraw").status_code == 303
    assert "đã rút" in shown(writer("GET", version))
    again = client.get(f"/q/{code}").text
    assert "Ghế có đủ?" not in again and 'name="version" value="2"' in again
    # Who had it open is thanked all the same, and so is a kiosk that was off.
    filled = {"version": "3", "a.A1": "5"}
    for name in ("id", "opened", "page"):
        filled[name] = re.search(rf'name="{name}" value="([^"]*)"', opened)[1]
    client.cookies.clear()
    thanked = client.post(f"/q/{code}", data=filled)
    assert thanked.status_code == 303 and "/thanks" in thanked.headers["location"]
    sent = body(code, version=3)
    assert (
        client.post("/api/v1/responses", json=sent, headers=province.importer()).status_code == 201
    )
    # The last one that is left is not withdrawn while points ask it.
    left = writer("POST", "/questionnaires/sipas-desk/versions/2/withdraw")
    assert left.status_code == 409 and "điểm khảo sát" in shown(left)
    assert writer("POST", f"{version}/offer").status_code == 303
    with database.reading() as session:
        assert offered(versions_of(session, "sipas-desk")).form.version == 3
        actions = [e.action for e in session.scalars(select(AuditEntry))]
        assert {"questionnaire.withdraw", "questionnaire.offer"} <= set(actions)


def test_parts_are_moved_removed_and_missed(writer):
    at = begun(writer("POST", "/questionnaires/drafts", code="sipas-desk", version="2"))
    moved = writer("POST", f"{at}/edit?part=item&at=0.0", act="down", revision="1")
    assert moved.headers["location"] == f"{at}/edit?part=item&at=0.1"
    assert fields_in(writer("GET", f"{at}/edit?part=item&at=0.1"))["code"] == "A1"
    writer("POST", f"{at}/edit?part=factor&at=0", act="down", revision="2")
    writer("POST", f"{at}/edit?part=item&at=1.1", act="remove", revision="3")
    writer("POST", f"{at}/edit?part=scale&at=satisfaction", act="remove", revision="4")
    page = shown(writer("GET", at))
    assert "Chưa có thang đo." in page and "B1: Không có thang đo “satisfaction”." in page
    assert "thứ tự câu hỏi" in page and "Câu hỏi A1 · cả phần" in page
    for query in ("part=item&at=9.9", "part=item&at=x", "part=factor&at=99", "part=scale&at=no"):
        assert writer("GET", f"{at}/edit?{query}").status_code == 404
    gone = writer("POST", f"{at}/discard", revision="5")
    assert gone.status_code == 303 and writer("GET", at).status_code == 404


def test_a_scale_is_written_with_its_levels_in_rows(writer, database):
    at = begun(writer("POST", "/questionnaires/drafts", code="sipas-desk", version="2"))
    path = f"{at}/edit?part=scale&at="
    rows = {"level.0.vi": "Tệ", "level.0.en": "Bad", "level.4.vi": "Tốt", "level.4.en": "Good"}
    for revision in ("", "²", "٣", "9" * 5000):
        assert writer("POST", path, revision=revision, act="save", name="h", **rows,
                      **{"satisfied.4": "yes"}).status_code == 409  # fmt: skip
    none = writer("POST", path, revision="1", name="hai mức", **rows)
    assert none.status_code == 422 and 'id="satisfied-error"' in none.text
    twice = writer("POST", path, revision="1", name="satisfaction", **rows)
    assert twice.status_code == 422 and 'id="name-error"' in twice.text
    half = writer(
        "POST", path, revision="1", name="h", **(rows | {"level.4.en": "", "satisfied.4": "yes"})
    )
    assert half.status_code == 422 and 'id="level.4.en-error"' in half.text
    more = writer("POST", path, revision="1", name="h", act="show", **rows)
    assert more.status_code == 200 and 'name="level.7.vi"' in more.text
    kept = writer("POST", path, revision="1", name="hai mức", **rows, **{"satisfied.4": "yes"})
    assert kept.status_code == 303
    with database.reading() as session:
        scale = draft(session, all_drafts(session)[0].id).sketch.scales["hai mức"]
    assert [(e.value, e.text.vi) for e in scale.levels] == [(1, "Tệ"), (2, "Tốt")]
    assert scale.satisfied == (2,)


def test_bounds_of_a_number_come_back_as_they_were_and_are_read_as_people_write(writer, database):
    at = begun(writer("POST", "/questionnaires/drafts", code="sipas-desk", version="2"))

    def bounds():
        with database.reading() as session:
            item = draft(session, all_drafts(session)[0].id).sketch.more[-1]
        return item.minimum, item.maximum

    cost = {"code": "cost", "kind": "number", "group": "more", "decimals": "0",
            "text.vi": "Chi phí?", "text.en": "What did it cost?"}  # fmt: skip
    typed = {"minimum": "1.000", "maximum": "12.345.678"}
    assert writer("POST", f"{at}/edit?part=item&at=more", revision="1", **cost, **typed).is_redirect
    assert bounds() == (1000, 12_345_678)
    with database.reading() as session:
        place = f"more.{len(draft(session, all_drafts(session)[0].id).sketch.more) - 1}"
    path = f"{at}/edit?part=item&at={place}"
    for revision, words in ((2, "Chi phí bao nhiêu?"), (3, "Hết bao nhiêu?")):
        fields = fields_in(writer("GET", path)) | {"text.vi": words}
        assert fields["maximum"] == "12345678" and fields["revision"] == str(revision)
        assert writer("POST", path, **fields).is_redirect
        assert bounds() == (1000, 12_345_678)
    fields = fields_in(writer("GET", path))
    # Three decimals after the sign that groups thousands in the other language.
    fine = fields | {"decimals": "2", "minimum": "0,125", "maximum": "1,1250"}
    assert writer("POST", path, **fine).is_redirect and bounds() == (0.125, 1.125)
    assert writer("POST", path, **fields_in(writer("GET", path))).is_redirect
    assert bounds() == (0.125, 1.125)
    fields = fields_in(writer("GET", path))
    for typed, said in (("50.000", "Không rõ “50.000” là 50 hay 50000."), ("1e3", "Không phải số")):
        refused = writer("POST", path, **(fields | {"maximum": typed}))
        assert refused.status_code == 422 and said in shown(refused)
        assert 'id="maximum-error"' in refused.text and f'value="{typed}"' in refused.text
    assert bounds() == (0.125, 1.125)


def test_more_options_than_there_are_numbers_are_refused_in_words(writer):
    at = begun(writer("POST", "/questionnaires/drafts", code="sipas-desk", version="2"))
    item = {"code": "way", "kind": "single_choice", "text.vi": "Bằng gì?", "text.en": "How?"}
    rows = {f"option.{row}.{code}": "x" for row in range(300) for code in ("vi", "en")}
    refused = writer("POST", f"{at}/edit?part=item&at=more", revision="1", **item, **rows)
    assert refused.status_code == 422
    wrong = re.findall(r'id="option\.(\d+)\.value-error"', refused.text)
    assert wrong == [str(row) for row in range(254, 300)]
    # So many are taken, and shown, in the form that a page gives.
    fewer = {field: "x" for field in rows if int(field.split(".")[1]) < 254}
    assert writer("POST", f"{at}/edit?part=item&at=more", revision="1", **item, **fewer).is_redirect


def workbook(*rows):
    book = openpyxl.Workbook()
    book.active.title = "survey"
    for row in (HEAD, *rows):
        book.active.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def test_a_file_is_shown_with_what_is_not_carried_before_anything_is_kept(
    writer, database, tmp_path
):
    content = workbook(["text", "why", "Why?", "Vì sao?"], ["geopoint", "where", "Where", "Ở đâu"])
    page = writer("POST", "/questionnaires/read", files={"file": ("a.xlsx", content)})
    said = shown(page)
    assert page.status_code == 200 and "survey, hàng 3, cột A" in said and "geopoint" in said
    assert "Chưa có thang đo." in said
    with database.reading() as session:
        assert all_drafts(session) == []
    text = html.unescape(
        re.search(r"<textarea name=.text. hidden>\n(.*?)</textarea>", page.text, re.S)[1]
    )
    at = begun(writer("POST", "/questionnaires/drafts", text=text))
    assert "Vì sao?" in shown(writer("GET", at))
    # Ours comes as it went out, and as YAML; each says the same as what is published.
    for written_as in Format:
        out = writer("GET", f"/questionnaires/sipas-desk/versions/2/file?format={written_as}")
        assert read_form(out.content, "x").form == FORM
        back = writer("POST", "/questionnaires/read", files={"file": ("x", out.content)})
        assert "Chuyển được tất cả." in shown(back)
    mine = writer("GET", "/questionnaires/sipas-desk/versions/2/file")
    (tmp_path / "x.yaml").write_bytes(mine.content)
    assert check_file(tmp_path / "x.yaml") == []
    yaml_back = writer("POST", "/questionnaires/read", files={"file": ("x.yaml", mine.content)})
    assert "Chuyển được tất cả." in shown(yaml_back)


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.xlsx", b"PK\3\4"), ("a.json", b"{"), ("a.yaml", b"- 1"), ("a.yaml", b"a: &x [*x]"),
     ("a.lss", b"<!DOCTYPE d [<!ENTITY a 'b'>]><document>&a;</document>"), ("a", b"")],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_said_and_nothing_is_kept(writer, database, name, content):
    answer = writer("POST", "/questionnaires/read", files={"file": (name, content or b" ")})
    assert answer.status_code == 422 and 'id="file-error"' in answer.text
    with database.reading() as session:
        assert all_drafts(session) == []


def test_what_is_typed_by_hand_into_the_hidden_field_is_checked(writer):
    for text in ("- 1", "a: [", "code: x\nversion: 1", "code: [" + "[" * 50):
        answer = writer("POST", "/questionnaires/drafts", text=text)
        assert answer.status_code == 422 and "error summary" in answer.text
    wrong = writer("POST", "/questionnaires/drafts", code="Mã", title_vi="", title_en="X")
    assert wrong.status_code == 422
    assert 'id="title_vi-error"' in wrong.text and 'id="code-error"' in wrong.text


def test_previews_are_what_citizens_and_kiosks_are_shown(writer, client, province):
    page = writer("GET", "/questionnaires/sipas-desk/versions/2/preview?lang=en")
    asked = client.get(f"/q/{province.points['C1', 'sipas-desk']}?lang=en").text
    of = re.compile(r'<fieldset class="q".*?</fieldset>', re.DOTALL)
    assert of.findall(page.text) == of.findall(asked) and of.findall(asked)
    assert 'data-preview="This is a preview' in page.text and "<button form=" not in page.text
    kiosk = writer("GET", "/questionnaires/sipas-desk/versions/2/preview?device=kiosk")
    form = json.loads(html.unescape(re.search(r'data-form="([^"]*)"', kiosk.text)[1]))
    assert form == FORM.model_dump(mode="json", by_alias=True)
    assert (
        "frame-src 'self'"
        in writer("GET", "/questionnaires/sipas-desk/versions/2").headers["content-security-policy"]
    )


def test_what_goes_out_says_what_others_will_not_show():
    assert write_form(FORM, Format.XLSFORM).not_carried


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_size_that_a_file_may_have_is_the_one_that_holds(writer):
    """The readers take more than a request may bring: whoever has a larger file is told that."""
    assert "đến 2080 kB" in writer("GET", "/questionnaires").text
    large = {"file": ("a.json", b" " * 2_085_000)}
    refused = writer("POST", "/questionnaires/read", files=large)
    assert refused.status_code == 422 and "đọc tệp đến 2080 kB" in refused.text
