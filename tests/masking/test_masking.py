"""What is masked of what citizens write, what stays, and that no text keeps the masker long.

These lines are ours; how many of somebody else's are found, tests/masking/test_measure.py says.
"""

import time
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.masking.kinds import Kind
from app.masking.letters import read
from app.masking.masker import mask, placeholder, worded
from app.messages import LANGUAGES

#: A line, and each part of it that is to be masked with its kind.
FOUND = [
    ("Gọi 0912345678 nhé", {"0912345678": "phone"}),
    ("zalo 0987 654 321, sđt: 0912.345.678", {"0987 654 321": "phone", "0912.345.678": "phone"}),
    ("+84 912 345 678 hoặc (+84)912345679", {"+84 912 345 678": "phone"}),
    ("0 9 1 2 3 4 5 6 7 8", {"0 9 1 2 3 4 5 6 7 8": "phone"}),
    ("số em là không chín một hai ba bốn năm sáu bảy tám ạ",
     {"không chín một hai ba bốn năm sáu bảy tám": "phone"}),
    ("khong chin mot hai ba bon nam sau bay tam", {"khong chin mot hai ba bon nam": "phone"}),
    ("không chín một hai 345 678", {"không chín một hai 345 678": "phone"}),
    ("o9I2 345 678 là số tôi", {"o9I2 345 678": "phone"}),
    ("máy bàn 024 3825 1234", {"024 3825 1234": "phone"}),
    ("ngày 12 05 2024 0912345678", {"0912345678": "phone"}),
    ("０９１２３４５６７８", {"０９１２３４５６７８": "phone"}),
    ("09\u200b12\u200b345\u200b678", {"09\u200b12\u200b345\u200b678": "phone"}),
    ("zalo 912345678", {"912345678": "phone"}),
    ("CCCD 001201012345", {"001201012345": "identity"}),
    ("căn cước 001 201 012 345", {"001 201 012 345": "identity"}),
    ("cmnd: 123.456.789", {"123.456.789": "identity"}),
    ("thẻ BHYT DN4790123456789", {"DN4790123456789": "insurance"}),
    ("GD 4 79 79 123 456 78", {"GD 4 79 79 123 456 78": "insurance"}),
    ("mã bhxh 7912345678", {"7912345678": "insurance"}),
    ("MST 0101234567-001", {"0101234567-001": "tax"}),
    ("stk 19033445566012 techcombank", {"19033445566012": "bank"}),
    ("số tài khoản 0071 0012 34567", {"0071 0012 34567": "bank"}),
    ("xe 29A-123.45, 51F1-12345, 30E 567.89",
     {"29A-123.45": "plate", "51F1-12345": "plate", "30E 567.89": "plate"}),
    ("an.nguyen@gmail.com", {"an.nguyen@gmail.com": "email"}),
    ("an [at] gmail.com", {"an [at] gmail.com": "email"}),
    ("an a còng gmail chấm com", {"an a còng gmail chấm com": "email"}),
    ("hồ sơ H26.15-250101-0001", {"H26.15-250101-0001": "dossier"}),
    ("mã hồ sơ 000.00.15.H26-250101-0001", {"000.00.15.H26-250101-0001": "dossier"}),
    ("Tôi tên là Nguyễn Văn An, ở thôn 3", {"Nguyễn Văn An": "citizen"}),
    ("toi ten la nguyen van an o xa Tan Binh", {"nguyen van an": "citizen"}),
    ("tôi là trần thị thu hà", {"trần thị thu hà": "citizen"}),
    ("mẹ tôi là bà Lê Thị B", {"Lê Thị B": "citizen"}),
    ("hồ sơ của ông Phạm Hữu Lộc", {"Phạm Hữu Lộc": "citizen"}),
    ("Nguyễn Thị Hoa - 0912345678", {"Nguyễn Thị Hoa": "citizen", "0912345678": "phone"}),
    ("con gái tôi bé Gia Bảo bị sốt", {"Gia Bảo": "citizen"}),
    ("em là Thảo, em ở ấp 5", {"Thảo": "citizen"}),
    ("bác sĩ Hùng rất nhiệt tình", {"bác sĩ Hùng": "staff"}),
    ("BÁC SĨ HÙNG QUÁT BỆNH NHÂN", {"BÁC SĨ HÙNG": "staff"}),
    ("bs. Tuấn khoa Nội khám kỹ", {"bs. Tuấn": "staff"}),
    ("cán bộ quầy 2 cáu gắt", {"cán bộ quầy 2": "staff"}),
    ("chị Lan ở quầy tiếp nhận", {"chị Lan": "staff"}),
    ("cảm ơn chị hằng đã giúp", {"chị hằng": "staff"}),
    ("đ/c Hoàng Minh Tuấn công an xã", {"đ/c Hoàng Minh Tuấn": "staff"}),
    ("anh Minh hẹn tôi 3 lần", {"anh Minh": "staff"}),
    ("hộ chiếu N1234567, passport: C4X87L2K9", {"N1234567": "identity", "C4X87L2K9": "identity"}),
    ("mã KN-0058/2025, giấy ra viện SNV 25.0093417, đơn 45/ĐT-2025",
     {"KN-0058/2025": "dossier", "SNV 25.0093417": "dossier", "45/ĐT-2025": "dossier"}),
    ("hoàn tiền 0451 000 387 215, vietcombank", {"0451 000 387 215": "bank"}),
    ("cmnd một trăm hai mươi ba, bốn năm sáu, bảy tám chín",
     {"một trăm hai mươi ba, bốn năm sáu, bảy tám chín": "identity"}),
    ("biển số năm chín X một, hai ba bốn năm sáu",
     {"năm chín X một, hai ba bốn năm sáu": "plate"}),
    ("an.le(a)gmail.com, an at gmail.com",
     {"an.le(a)gmail.com": "email", "an at gmail.com": "email"}),
    ("Kiều Vân 0912345678", {"Kiều Vân": "citizen"}),
    ("0912345678 (Hùng)", {"Hùng": "citizen"}),
    ("nhắn qua bà Năm Lành giùm", {"Năm Lành": "citizen"}),
    ("em tên Chín Đẹt, ở ấp 4", {"Chín Đẹt": "citizen"}),
    ("tên H'Linh Êban, con nhà K'Brôl", {"H'Linh Êban": "citizen", "K'Brôl": "citizen"}),
    ("Bà xã tôi, Kiều, đi khám", {"Kiều": "citizen"}),
    ("in ra Hiếu Thảo Nguyễn", {"Hiếu Thảo Nguyễn": "citizen"}),
    ("gọi số này gặp Đông nha", {"Đông": "citizen"}),
    ("vợ chồng Hoa và Long chờ lâu", {"Hoa": "citizen", "Long": "citizen"}),
    ("My name is Ingrid Solvang", {"Ingrid Solvang": "citizen"}),
    ("toi ten la vo van tai o ap 3", {"vo van tai": "citizen"}),
    ("chị Kim Liên ở quầy 2", {"chị Kim Liên": "staff"}),
    ("chị lan làm ở quầy 3", {"chị lan": "staff"}),
    ("Anh Hùng, chị Mai, em Ly lễ tân", {"Hùng": "staff", "Mai": "staff"}),
    ("Bà Giàng Thị Súa không biết tiếng Kinh", {"Giàng Thị Súa": "citizen"}),
    ("Nguyễn Văn Hùng - trưởng phòng - gây khó dễ", {"Nguyễn Văn Hùng": "staff"}),
]  # fmt: skip
#: Nothing of these tells of a person.
STAYS = [
    "phí 500.000 đ, 2tr5, 1.200.000đ, 300k, 50 nghìn",
    "chờ từ 8h30 đến 10h, 14:00, ngày 01/02/2025, 12.05.2024",
    "quầy số 3, phòng 203, số thứ tự 145, tầng 2, 15/15 ngày",
    "Nghị định 61/2018/NĐ-CP, Thông tư 01/2018/TT-VPCP",
    "gọi 113, 115, 1022, 1900 6868, 19001234, 1800 1234",
    "Đường Nguyễn Trãi, BV Nguyễn Tri Phương, phường Trần Phú, TP Hồ Chí Minh",
    "Hồ sơ nhanh. Thái độ tốt. Lý do chậm. Đào tạo thêm. Lưu ý. Phí cao.",
    "Thái Độ Phục Vụ Tốt, Hồ Sơ Nhanh Gọn",
    "NHÂN VIÊN THÁI ĐỘ KÉM",
    "cô giáo, anh em, chị em, ông bà, bà con chờ lâu, chị hiền quá",
    "bác sĩ khoa nội tận tâm, nhân viên thu tiền, cán bộ tư pháp nhiệt tình",
    "hai ba năm nay chờ, một hai lần, năm bảy người",
    "anh ở quầy hướng dẫn, chị mai quay lại, cho tôi hỏi",
    "chúc các anh chị hạnh phúc, thành công; nhân viên thân thiện; cán bộ quan tâm",
    "Dịch vụ Tốt, Nhân viên Thân Thiện, Phòng Sạch",
    "Tôi ở Trần Hưng Đạo, đi qua Lê Văn Sỹ, chợ Bà Chiểu, Vo Van Ngan street",
    "Thái Lan, Hàn Quốc; Sơn Trà, Thanh Khê; Chị Hai tôi, Anh Hai em",
    "thứ Ba, người Hoa, tiếng Anh, hỏi Thanh tra, gọi Công an",
    "Quyết định 1234/QĐ-UBND, công văn 567/BHXH-CSYT, ISO 9001:2015, giai đoạn 2021-2025",
    "hai trăm ba mươi nghìn đồng, năm hai nghìn không trăm hai mươi lăm",
    "khong co y kien, o day sach se, can bo huong dan tan tinh, bac si kham qua loa",
    "Bệnh viện quá đông, nhà vệ sinh bẩn, thiếu ghế ngồi",
]


@pytest.mark.parametrize(("line", "parts"), FOUND, ids=[line for line, _ in FOUND])
def test_what_tells_of_a_person_is_masked_by_its_kind(line, parts):
    found = {line[span.start : span.end]: span.kind.value for span in mask(line).spans}
    for part, kind in parts.items():
        assert any(part in each and kind == of for each, of in found.items()), found


@pytest.mark.parametrize("line", STAYS)
def test_what_tells_of_nobody_stays(line):
    assert mask(line).text == line


def test_staff_stand_in_the_text_for_those_who_may_read_them_and_nobody_else_does():
    masked = mask("Bác sĩ Hùng bảo em Lê Thị Hoa gọi 0912345678")
    assert masked.with_staff == "Bác sĩ Hùng bảo em [tên người] gọi [số điện thoại]"
    assert masked.text == "[cán bộ] bảo em [tên người] gọi [số điện thoại]"
    none = mask("Chờ lâu quá")
    assert none.text == none.with_staff == "Chờ lâu quá"


def test_a_name_that_was_found_is_found_where_it_stands_alone():
    masked = mask("Bác sĩ Hùng khám. Tôi hỏi thì Hùng quát")
    assert masked.text == "[cán bộ] khám. Tôi hỏi thì [cán bộ] quát"


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKD"])
def test_marks_may_be_written_in_any_way(form):
    line = "Tôi tên là Nguyễn Thị Thuý Hoà, sđt 0912345678"
    expected = "Tôi tên là [tên người], sđt [số điện thoại]"
    assert mask(unicodedata.normalize(form, line)).text == expected
    assert mask(line.replace("uý", "úy").replace("oà", "òa")).text == expected


def test_spans_are_of_the_text_as_it_was_given():
    line = unicodedata.normalize("NFD", "Cám ơn\u200b ạ, số tôi 0912345678")
    (span,) = mask(line).spans
    assert line[span.start : span.end] == "0912345678" and span.kind is Kind.PHONE


def test_nobody_writes_a_placeholder_and_none_is_lost_when_masked_again():
    assert mask("[tên người] và [cán bộ]").text == "(tên người) và (cán bộ)"
    masked = mask("bác sĩ Hùng, 0912345678").text
    assert mask(masked, again=True).text == masked
    assert worded(masked, "en") == "[member of staff], [telephone number]"
    for language in LANGUAGES:
        assert len({placeholder(kind, language) for kind in Kind}) == len(Kind)


DIGITS = st.lists(st.sampled_from("0123456789"), min_size=8, max_size=8).map("".join)
WORDS = st.lists(
    st.sampled_from(
        ["hồ sơ", "chờ", "quầy số 3", "8h30", "500.000 đ", ",", ".", "\n", "bác sĩ", "chị"]
    ),
    max_size=6,
).map(" ".join)  # fmt: skip
FORMS = st.sampled_from(["{}{}{}", "{} {} {}", "{}.{}.{}", "{}-{}-{}", "{} . {}  {}"])


@given(before=WORDS, after=WORDS, second=st.sampled_from("35789"), rest=DIGITS, form=FORMS)
def test_no_mobile_number_is_left_wherever_it_stands(before, after, second, rest, form):
    number = form.format(f"0{second}{rest[:2]}", rest[2:5], rest[5:])
    masked = mask(f"{before} {number} {after}").text
    assert number not in masked and rest[2:8] not in masked.replace(" ", "").replace(".", "")


@given(st.text(max_size=200))
def test_any_text_is_read_sign_for_sign_and_masked_to_text(text):
    letters = read(text)
    assert len(letters.plain) == len(letters.text) == len(letters.origin) - 1
    assert list(letters.origin) == sorted(letters.origin) and letters.origin[-1] == len(text)
    masked = mask(text)
    ends = [0, *(place for span in masked.spans for place in (span.start, span.end)), len(text)]
    assert ends == sorted(ends)


HOSTILE = [
    "1", " ", "\u0301", "1 ", "1.", "o1", "a@", "Nguyễn ", "An ", "anh ", "bác sĩ ", "không ",
    "cán bộ tư pháp hộ tịch ", "tên là ", "mã hồ sơ ", "H26.", "29A-",
    "tên An ", "An, ", "An và Bình, ", "N.", "H'", "Lee-a", "XN1-", "hộ chiếu ", "hc a1",
    "ba mươi ", "biển số ba ", "gặp An, ", "chị Lan, ", "mẹ tôi, ",
    "stk ", "[tên người] ", "+(", "a còng ", "-",
]  # fmt: skip


@pytest.mark.parametrize("sign", HOSTILE)
def test_the_time_grows_as_the_text_does(sign):
    """Eight times the text may take eight times as long, and on a busy machine thrice that; were
    it to grow with the square it would be 64 times.
    """

    def seconds(length):
        text = (sign * length)[:length]
        best = 1e9
        for _ in range(3):
            began = time.process_time()
            mask(text)
            best = min(best, time.process_time() - began)
        return best

    short, long = seconds(1_250), seconds(10_000)
    assert long < 24 * max(short, 0.002)


def test_every_list_says_where_it_is_from():
    data = Path(__file__).parents[2] / "app/masking/data"
    told = (data / "README.md").read_text("utf-8")
    assert all(f"`{file.name}`" in told for file in data.glob("*.yaml"))
