"""The page that imports responses: a file, what its columns mean, the result."""

import re
from html import unescape

import pytest
from sqlalchemy import select

from app.access.roles import Role
from app.importing.models import ResponseImport
from app.importing.remembering import in_force
from app.intake.models import Response
from tests.importing.exports import GOOGLE, KOBO, write


@pytest.fixture
def operator(province):
    return province.person((Role.OPERATOR, None))


@pytest.fixture
def press(client, operator):
    """Sends a form as an operator."""

    def send(path, files=None, **data):
        return client.post(
            f"/response-imports{path}", headers=operator.headers, data=operator.csrf | data,
            files=files,
        )  # fmt: skip

    return send


def fields_of(page):
    """What the form on the page would send."""
    found = {
        name: unescape(value)
        for name, value in re.findall(r'<input[^>]*?\sname="([^"]+)"[^>]*?\svalue="([^"]*)"', page)
        if name != "csrf_token"
    }
    for name, inside in re.findall(r'(?s)<select[^>]*? name="([^"]+)"[^>]*>(.*?)</select>', page):
        chosen = re.search(r'<option value="([^"]*)" selected', inside)
        found[name] = unescape(chosen[1]) if chosen else re.search(r'value="([^"]*)"', inside)[1]
    found["content"] = re.search(r"(?s)<textarea name=\"content\" hidden>(.*?)</textarea>", page)[1]
    return {name: value for name, value in found.items() if not name.startswith("r")}


def upload(file, rows):
    return {"file": (file.name, write(file, rows).read_bytes())}


def count(database):
    with database.reading() as session:
        return len(session.scalars(select(Response.id)).all())


def test_a_file_is_looked_at_decided_about_tried_imported_and_remembered(
    client, operator, press, province, database, tmp_path
):
    point = province.points[("D1", "sipas-desk")]
    first = {"questionnaire": "sipas-desk:2", "point": point}
    answer = press("/check", upload(tmp_path / "Phiếu tháng 10.csv", GOOGLE), **first)
    assert answer.status_code == 200, answer.text
    page = answer.text
    assert "Số cột chưa quyết định: 1" in page and "Thử với các dòng đầu" not in page
    assert "Nguyễn Văn An" not in page.replace(fields_of(page)["content"], "")
    form = fields_of(page)
    assert form["m1"] == "item:A1" and form["m4"] == "out" and form["m6"] == ""
    form |= {"m6": "item:comment", "source": "Google Forms"}
    page = press("/check", **form).text
    assert "Thử với các dòng đầu" in page and "<strong>2</strong> phiếu đúng" in page
    assert "<td>" not in page and count(database) == 0
    form = fields_of(page)
    page = press("", **form).text
    assert "<strong>2</strong> phiếu đã nhận" in page and count(database) == 2
    # The next file with this header needs no decisions, and what is there is not counted again.
    wider = [*GOOGLE, ["2026/10/25 9:00:07 SA GMT+7", "Rất tốt lắm", "", "", "", "", ""]]
    page = press("/check", upload(tmp_path / "Tháng 11.xlsx", wider), **first).text
    assert "Các cột được ghép như lần trước" in page
    assert "<strong>2</strong> phiếu đã có" in page and "<strong>1</strong> dòng sai" in page
    assert "Trang tính “Phiếu”, Dòng 4, cột" in page and "“Rất tốt lắm” không phải mức" in page
    form = fields_of(page)
    assert form["w1_0"] == "Rất tốt lắm" and form["v1_0"] == ""
    page = press("", **(form | {"v1_0": "5"})).text
    assert "<strong>1</strong> phiếu đã nhận" in page and count(database) == 3
    with database.reading() as session:
        (row,) = in_force(session)
    assert "Rất tốt lắm" in row.document and row.set_by == operator.email
    listed = client.get("/response-imports", headers=operator.headers).text
    assert "Google Forms" in listed
    assert press(f"/{row.id}/forget").status_code == 303
    assert press(f"/{row.id}/forget").status_code == 404
    assert "Chưa ghi nhớ gì" in client.get("/response-imports", headers=operator.headers).text


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.xlsx", b"PK\x03\x04", "cannot be read as .xlsx"),
        ("a.csv", b"", "The file is empty"),
        ("a.csv", b"x" * 1_200_001, "larger than 1200 kB"),
        ("../../b.csv", b"A1\n" + b"1\n" * 5001, "more than 5000 rows"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(
    client, operator, province, name, content, told
):
    answer = client.post(
        "/response-imports/check", data=operator.csrf | {"questionnaire": "sipas-desk:2"},
        files={"file": (name, content)},
        headers={"Cookie": operator.headers["Cookie"] + "; language=en"},
    )  # fmt: skip
    assert answer.status_code == 422 and told in answer.text and "../" not in answer.text


def test_what_does_not_come_whole_or_fit_is_told(press, province, tmp_path):
    point = province.points[("D1", "sipas-desk")]
    files = upload(tmp_path / "a.csv", KOBO)
    page = press("/check", files, questionnaire="sipas-desk:2", point=point).text
    form = fields_of(page)
    assert press("", **(form | {"content": "AAAA"})).status_code == 422
    answer = press("/check", **(form | {"zone": "Mars/Crater"}))
    assert answer.status_code == 422 and fields_of(answer.text)["m2"] == "item:A1"
    answer = press("/check", **(form | {"m2": "item:B1", "m3": "item:B1"}))
    assert answer.status_code == 422 and "B1 có hơn một cột" in answer.text
    answer = press("/check", files, questionnaire="none:1")
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("name", "shown"),
    [("..", "file.csv"), ("../..", "file.csv"), ("ộ" * 300 + ".csv", "ộ" * 76 + ".csv"),
     ("a\0b\n.csv", "a b .csv"), ("", "file.csv")],
    ids=["up", "far_up", "long", "nul", "none"],
)  # fmt: skip
def test_a_file_is_called_anything(press, province, tmp_path, name, shown):
    point = province.points[("D1", "sipas-desk")]
    first = {"questionnaire": "sipas-desk:2", "point": point}
    form = fields_of(press("/check", upload(tmp_path / "a.csv", KOBO), **first).text)
    page = press("/check", **(form | {"name": name}))
    assert page.status_code == 200 and fields_of(page.text)["name"] == shown
    assert press("", **(form | {"name": name})).status_code == 200


def test_a_file_of_which_the_end_is_missing_is_not_imported(press, province, database, tmp_path):
    point = province.points[("D1", "sipas-desk")]
    first = {"questionnaire": "sipas-desk:2", "point": point}
    form = fields_of(press("/check", upload(tmp_path / "a.csv", KOBO), **first).text)
    for cut in (4, 12, 40):
        part = form | {"content": form["content"][:-cut]}
        for path in ("", "/check"):
            refused = press(path, **part)
            assert refused.status_code == 422 and "Tệp không đến đủ." in refused.text
    assert count(database) == 0


def test_numbers_that_are_none_are_refused_in_words(press, province, tmp_path):
    point = province.points[("D1", "sipas-desk")]
    files = upload(tmp_path / "a.csv", KOBO)
    for number in ("²", "٣", "x", "9" * 900):
        answer = press("/check", files, questionnaire=f"sipas-desk:{number}", point=point)
        assert answer.status_code == 422
    form = fields_of(press("/check", files, questionnaire="sipas-desk:2", point=point).text)
    words = {"w2_0": "rat_hai_long", "v2_0": "9" * 5000}
    done = press("", **(form | words))
    assert done.status_code == 200 and "<strong>1</strong> dòng sai" in done.text


def test_only_who_imports_history_everywhere_sees_it(client, province):
    for roles in ([(Role.UNIT_HEAD, "C1")], [(Role.OPERATOR, "D1")], [(Role.AUDITOR, None)]):
        headers = province.person(*roles).headers
        assert client.get("/response-imports", headers=headers).status_code == 403


def test_whose_equal_rows_are_is_asked_on_the_page(
    client, operator, press, province, database, tmp_path
):
    first = {"questionnaire": "sipas-desk:2", "point": province.points[("D1", "sipas-desk")]}
    head = ["Dấu thời gian", "A1"]

    def decided(name, *rows):
        page = press("/check", upload(tmp_path / name, [head, *rows]), **first).text
        return fields_of(page) | {"m0": "role:answered_at", "m1": "item:A1", "source": "Xã"}

    form = decided("a.csv", ["2026-10-24", "4"], ["2026-10-25", "4"])
    assert press("", **form).status_code == 200 and count(database) == 2
    form = decided("b.csv", ["2026-10-24", "4"], ["2026-10-26", "4"])
    page = press("/check", **form).text
    assert "1 trên 2 dòng giống hệt" in page
    asked = press("", **form)
    assert asked.status_code == 409 and "“Xã”" in asked.text and count(database) == 2
    assert 'formaction="/response-imports"' in asked.text, "it can be said and sent at once"
    form = fields_of(asked.text)
    assert (form["equal_rows"], form["batch"]) == ("", "b")
    done = press("", **(form | {"equal_rows": "others"}))
    assert done.status_code == 200 and count(database) == 4
    form = decided("c.csv", ["2026-10-24", "4"], ["2026-10-26", "5"])
    refused = press("", **(form | {"equal_rows": "others", "batch": "b"}))
    assert refused.status_code == 409 and "Tên “b” là của một tệp khác" in refused.text
    assert count(database) == 4
    # What began and has not ended stands on the page.
    with database.writing() as session:
        session.scalars(select(ResponseImport)).first().ended_at = None
    listed = client.get("/response-imports", headers=operator.headers).text
    assert "Nhập chưa xong" in listed and "a.csv (Xã)" in listed


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_people_wrote_stands_on_no_page_as_it_came(press, province, tmp_path):
    """A column of comments taken for levels: its words are asked about, and are no words."""
    first = {"questionnaire": "sipas-desk:2", "point": province.points[("D1", "sipas-desk")]}
    said = ["Hài lòng", "Gọi 0912 345 678", "Rất ổn"]
    long = [f"Tôi chờ {n} tiếng, cán bộ bảo về lấy thêm giấy số {n}" for n in range(9)]
    head = ["Dấu thời gian", "A1", "A2"]
    rows = [["2026-10-24", said[n % 3], words] for n, words in enumerate(long)]
    page = press("/check", upload(tmp_path / "a.csv", [head, *rows]), **first).text
    form = fields_of(page) | {"m1": "item:A1", "m2": "item:A2"}
    page = press("/check", **form).text.replace(form["content"], "")
    assert "0912" not in page and "[số điện thoại]" in page
    assert "“Rất ổn”" in page and "9 đoạn văn" in page
    columns = page[page.index("<thead>") :]
    assert "cán bộ bảo" not in columns, "a text is no word that somebody decides about"
    # The mistakes of rows name what stands there masked, too.
    assert "không phải mức" in page and page.count("[số điện thoại]") > 1
