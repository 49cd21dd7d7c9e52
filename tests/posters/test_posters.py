"""Every printed code is read again by a decoder that others wrote (ZXing), from the drawn page."""

import io
import sys
from dataclasses import replace

import numpy as np
import pypdfium2
import pytest
import zxingcpp
from PIL import Image

from app import qr_codes
from app.access.models import Right
from app.cli import main
from app.posters import drawing
from app.posters.drawing import Poster, Size
from app.registry.models import Channel, PointState, Unit
from app.registry.points import change_state, current_code, find_by_code, open_point

BASE = "https://hailong.example.vn"
LONG = "Văn phòng Đăng ký đất đai chi nhánh thành phố Vũng Tàu – Bộ phận tiếp nhận và trả kết quả"


def poster(number, unit="Phường 1"):
    code = f"K7XQ2M{number}"
    return Poster(unit, "Ward 1", code, f"{BASE}/q/{code}")


def pages(document, scale=2.0):
    opened = pypdfium2.PdfDocument(document)
    for page in opened:
        yield (
            page.get_size(),
            page.render(scale=scale).to_numpy(),
            page.get_textpage().get_text_range(),
        )


def read(picture):
    return sorted(found.text for found in zxingcpp.read_barcodes(np.ascontiguousarray(picture)))


@pytest.mark.parametrize(
    ("size", "millimetres"), [(Size.A4, (210, 297)), (Size.A5, (148, 210)), (Size.CARD, (210, 297))]
)
def test_every_code_of_a_file_is_read_again(size, millimetres):
    posters = [poster(number, LONG if number == 3 else "Phường 1") for number in range(2, 9)]
    found = []
    for points, picture, text in pages(drawing.pdf(posters, size)):
        assert [round(each * 25.4 / 72) for each in points] == list(millimetres)
        found += read(picture)
        # Searchable, in Vietnamese, with the address to type.
        assert "hailong.example.vn/q/K7XQ2M" in text and "hài lòng" in text
    assert found == sorted(each.address for each in posters)


def by_quarter(picture):
    """What is read in each quarter of a page, row by row, and nothing beyond a quarter's edge."""
    height, width = (side // 2 for side in picture.shape[:2])
    return [
        read(picture[top : top + height, left : left + width])
        for top in (0, height)
        for left in (0, width)
    ]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 8, 9])
def test_each_card_has_its_quarter_and_a_sheet_is_filled(count):
    posters = [
        poster(number, LONG if number == 3 else "Phường 1") for number in range(1, count + 1)
    ]
    sheets = [by_quarter(picture) for _, picture, _ in pages(drawing.pdf(posters, Size.CARD))]
    addresses = [each.address for each in posters]
    filled = {
        1: addresses * 4,
        2: [addresses[0]] * 2 + addresses[1:] * 2,
    }.get(count, addresses)
    assert len(sheets) == -(-len(filled) // 4)
    quarters = [quarter for sheet in sheets for quarter in sheet]
    assert quarters[: len(filled)] == [[address] for address in filled]
    assert all(not quarter for quarter in quarters[len(filled) :])


def test_cards_are_cut_between_them_and_not_along_the_sheet():
    ((_, picture, _),) = pages(drawing.pdf([poster(2), poster(3, LONG)], Size.CARD))
    ink = picture[..., :3].min(axis=2) < 200
    height, width = ink.shape
    dashes = ink[:, width // 2 - 2 : width // 2 + 2].any(axis=1)
    across = ink[height // 2 - 2 : height // 2 + 2].any(axis=0)
    # Dashed, over the whole length.
    for marks in (dashes, across):
        assert 0.3 < marks.mean() < 0.9
        assert all(part.any() for part in np.array_split(marks, 20))
    # Five millimetres beside the cuts and along the edges, where printers do not print, are free.
    free = ink.copy()
    free[:, width // 2 - 2 : width // 2 + 2] = False
    free[height // 2 - 2 : height // 2 + 2] = False
    rim = round(5 / 25.4 * 72 * 2)
    for rows in (slice(0, rim), slice(height // 2 - rim, height // 2 + rim), slice(-rim, None)):
        assert not free[rows].any()
    for columns in (slice(0, rim), slice(width // 2 - rim, width // 2 + rim), slice(-rim, None)):
        assert not free[:, columns].any()


@pytest.mark.parametrize("size", list(Size))
def test_the_place_of_a_point_is_told_and_takes_no_second_sheet(size):
    place = "Quầy số 3 – tiếp nhận hồ sơ đất đai"
    told = replace(poster(3, LONG), place=place, unit_en="Land Registration Office – " * 4)
    ((_, picture, text),) = pages(drawing.pdf([told], size))
    assert place in text.replace("\r\n", " ") and "Không hỏi tên" in text
    assert set(read(picture)) == {told.address}


def test_a_long_name_stays_on_its_sheet():
    for size in Size:
        for _, picture, text in pages(drawing.pdf([poster(2, LONG)], size)):
            assert "Vũng Tàu" in text.replace("\r\n", " ")
            dark = np.argwhere(picture[..., :3].min(axis=2) < 128)
            # Nothing is drawn into the outermost two per cent (cards are cut along their lines).
            if size is not Size.CARD:
                low, high = dark.min(axis=0), dark.max(axis=0)
                edge = np.array(picture.shape[:2]) * 0.02
                assert (low > edge).all() and (high < np.array(picture.shape[:2]) - edge).all()


def test_a_code_has_its_quiet_zone_and_survives_dirt():
    picture = drawn_png(f"{BASE}/q/K7XQ2M2")
    modules = picture.shape[0] // 12
    assert (picture[: 4 * 12] > 200).all() and (picture[:, : 4 * 12] > 200).all()
    assert read(picture) == [f"{BASE}/q/K7XQ2M2"]
    # A coffee stain over a tenth of the code's width and height, away from the finders.
    stained = picture.copy()
    middle, stain = picture.shape[0] // 2, int(modules * 12 * 0.06)
    stained[middle - stain : middle + stain, middle - stain : middle + stain] = 128
    assert read(stained) == [f"{BASE}/q/K7XQ2M2"]


def drawn_png(address):
    return np.array(Image.open(io.BytesIO(qr_codes.png(address))).convert("L"))


def test_error_correction_is_at_least_m():
    for address in (f"{BASE}/q/K7XQ2M2", "http://127.0.0.1:8000/q/K7XQ2M2", BASE + "/" + "x" * 90):
        (found,) = zxingcpp.read_barcodes(drawn_png(address))
        assert found.ec_level in ("M", "Q", "H")


@pytest.mark.parametrize("number", [0, drawing.MOST + 1])
def test_none_and_too_many_are_refused(number):
    with pytest.raises(ValueError, match="posters"):
        drawing.pdf([poster(2)] * number, Size.A4)


def test_the_interface_gives_the_posters_of_ones_units(client, province, database):
    with database.writing() as session:
        change_state(
            session,
            find_by_code(session, province.points[("A1", "sipas-desk")]),
            PointState.REVOKED,
        )
    key = province.credential(Right.READ_REGISTRY)
    answer = client.get("/api/v1/posters", params={"unit": "D1", "size": "a5"}, headers=key)
    assert answer.headers["content-type"] == "application/pdf"
    assert 'filename="D1-a5.pdf"' in answer.headers["content-disposition"]
    base = str(client.base_url).rstrip("/")
    found = [text for _, picture, _ in pages(answer.content) for text in read(picture)]
    # Posters of D1 and C1; the kiosk's and the paper's points need none.
    expected = [province.points[(unit, "sipas-desk")] for unit in ("D1", "C1")]
    assert sorted(found) == sorted(f"{base}/q/{code}" for code in expected)
    for address in found:
        assert client.get(address).status_code == 200
    # What is revoked is not printed.
    none = client.get("/api/v1/posters", params={"unit": "A1"}, headers=key)
    revoked = {"point": province.points[("A1", "sipas-desk")]}
    none_either = client.get("/api/v1/posters", params=revoked, headers=key)
    assert none_either.json()["type"] == "/problems/unknown-code"
    assert none.json()["type"] == "/problems/no-posters"
    code = expected[1]
    svg = client.get(f"/api/v1/posters/{code}.svg", headers=key)
    assert svg.headers["content-type"] == "image/svg+xml" and "<script" not in svg.text
    assert client.get("/api/v1/posters/NOSUCH2.png", headers=key).status_code == 404


def test_the_interface_gives_the_cards_of_chosen_points(client, province, database):
    with database.writing() as session:
        unit = session.get_one(Unit, province.units["C2"])
        points = [
            open_point(session, unit, "sipas-desk", Channel.QR, f"Quầy {number}")
            for number in range(1, 6)
        ]
        codes = [current_code(point) for point in points]
    key = province.credential(Right.READ_REGISTRY)
    base = str(client.base_url).rstrip("/")

    def sheets(*chosen, headers=key):
        answer = client.get(
            "/api/v1/posters", params={"point": chosen, "size": "card"}, headers=headers
        )
        assert answer.status_code == 200, answer.text
        return [(by_quarter(picture), text) for _, picture, text in pages(answer.content)]

    # In the order asked for; one that is named twice, or as people write it, is printed once.
    ((quarters, text),) = sheets(codes[4], codes[0].lower(), codes[2], codes[0], codes[1])
    assert quarters == [[f"{base}/q/{codes[n]}"] for n in (4, 0, 2, 1)]
    assert all(f"Quầy {n}" in text for n in (1, 2, 3, 5)) and "Quầy 4" not in text
    ((quarters, _),) = sheets(codes[3])
    assert quarters == [[f"{base}/q/{codes[3]}"]] * 4
    # Of nobody else's units.
    stranger = province.credential(Right.READ_REGISTRY, unit="C1")
    answer = client.get(
        "/api/v1/posters", params={"point": [codes[0]], "size": "card"}, headers=stranger
    )
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/unknown-code")


@pytest.mark.parametrize("name", ["a4", "a5", "card"])
def test_a_whole_district_of_many_points_is_one_file(client, province, database, name):
    with database.writing() as session:
        unit = session.get_one(Unit, province.units["C2"])
        for number in range(30):
            open_point(session, unit, "sipas-desk", Channel.QR, f"quầy {number}")
    key = province.credential(Right.READ_REGISTRY)
    answer = client.get("/api/v1/posters", params={"unit": "C2", "size": name}, headers=key)
    assert len(pypdfium2.PdfDocument(answer.content)) == (8 if name == "card" else 30)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_command_writes_files_and_says_where_codes_lead(
    database_url, province, tmp_path, monkeypatch, capsys
):
    code = province.points[("C1", "sipas-desk")]
    monkeypatch.setenv("HAILONG_DATABASE_URL", database_url)

    def run(*arguments, public_url=BASE, expected=0):
        if public_url:
            monkeypatch.setenv("HAILONG_PUBLIC_URL", public_url)
        else:
            monkeypatch.delenv("HAILONG_PUBLIC_URL")
        monkeypatch.setattr(sys, "argv", ["hailong", "qr", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        assert (ended.value.code or 0) == expected, printed
        return printed.out + printed.err

    out = tmp_path / "one.pdf"
    assert "1 survey points" in run(code.lower(), "--out", str(out))
    ((_, picture, _),) = pages(out.read_bytes())
    assert read(picture) == [f"{BASE}/q/{code}"]
    run(code, "--size", "card", "--out", str(out))
    ((_, picture, _),) = pages(out.read_bytes())
    assert by_quarter(picture) == [[f"{BASE}/q/{code}"]] * 4
    run(code, "--out", str(tmp_path / "one.svg"))
    assert "is not set" in run(code, "--out", str(out), public_url=None)
    assert "holds one code" in run("--unit", "D1", "--out", str(tmp_path / "x.png"), expected=1)
    assert "no survey point" in run("NOSUCH2", expected=1)
    assert "X9" in run("--unit", "X9", "--out", str(out), expected=1)
    assert "choose .pdf" in run(code, "--out", str(tmp_path / "x.gif"), expected=1)
