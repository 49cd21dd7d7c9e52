"""Numbers, days and periods as each language writes them."""

from datetime import date
from random import Random

import pytest

from app.figures.results import Names, UnitOut, WithinOut
from app.figures.statistic_results import Limits
from app.messages.words import NOTHING, Words, alphabetical, axis_period, folded

VI, EN = Words("vi"), Words("en")


@pytest.mark.parametrize(
    ("write", "vietnamese", "english"),
    [
        (lambda w: w.number(12345.67, 1), "12.345,7", "12,345.7"),
        (lambda w: w.number(-0.04, 1), "0,0", "0.0"),
        (lambda w: w.number(None), NOTHING, NOTHING),
        (lambda w: w.percent(0.8846), "88,5%", "88.5%"),
        (lambda w: w.points(-0.0316), "−3,2", "−3.2"),
        (lambda w: w.points(0.0316), "+3,2", "+3.2"),
        (lambda w: w.points(0.0001), "0,0", "0.0"),
        (lambda w: w.p_is(1.0), "p\u00a0>\u00a00,999", "p\u00a0>\u00a00.999"),
        (lambda w: w.p_is(0.0004), "p\u00a0<\u00a00,001", "p\u00a0<\u00a00.001"),
        (lambda w: w.p_is(0.0234), "p\u00a0=\u00a00,023", "p\u00a0=\u00a00.023"),
        (lambda w: w.between(0.86, 0.907), "86,0\u00a0–\u00a090,7%",
         "86.0\u00a0–\u00a090.7%"),
        (lambda w: w.between(None, None), NOTHING, NOTHING),
        (lambda w: w.p(0.0001), "<\u00a00,001", "<\u00a00.001"),
        (lambda w: w.p(0.0316), "0,032", "0.032"),
        (lambda w: w.day(date(2026, 11, 5)), "05/11/2026", "5 November 2026"),
        (lambda w: w.letter_day(date(2026, 11, 5)), "ngày 05 tháng 11 năm 2026", "5 November 2026"),
        (lambda w: w.letter_day(date(2027, 2, 5)), "ngày 05 tháng 02 năm 2027", "5 February 2027"),
        (lambda w: w.letter_day(date(2027, 3, 1)), "ngày 01 tháng 3 năm 2027", "1 March 2027"),
        (lambda w: w.period("2026-11"), "tháng 11 năm 2026", "November 2026"),
        (lambda w: w.period("2026-02"), "tháng 2 năm 2026", "February 2026"),
        (lambda w: w.period("2026-Q3"), "quý 3 năm 2026", "quarter 3 of 2026"),
        (lambda w: w.period("2026-H1"), "6 tháng đầu năm 2026", "first half of 2026"),
        (lambda w: w.period("2026-H2"), "6 tháng cuối năm 2026", "second half of 2026"),
        (lambda w: w.period("2026-9M"), "9 tháng đầu năm 2026", "first nine months of 2026"),
        (lambda w: w.period("2026"), "năm 2026", "the year 2026"),
        (lambda w: w.period("2026-W05"), "tuần 5 năm 2026", "week 5 of 2026"),
        (lambda w: w.period("2026-11-01..2026-11-15"), "01/11/2026 – 15/11/2026",
         "1 November 2026 – 15 November 2026"),
    ],
)  # fmt: skip
def test_what_is_written(write, vietnamese, english):
    assert write(VI) == vietnamese
    assert write(EN) == english


def test_a_name_for_an_axis():
    assert [axis_period(name) for name in ("2026-11", "2026-Q4", "2026", "2026-11-05")] == [
        "11/2026", "Q4/2026", "2026", "2026-11-05",
    ]  # fmt: skip


def test_a_unit_is_named_with_what_it_is_part_of_but_on_that_ones_own_page():
    name = Names(vi="Bệnh viện", en="Hospital")
    hospital = WithinOut(code="H1", name=name)
    ward = UnitOut(
        code="W1", kind="ward", name=Names(vi="Khoa Nội", en="Medicine"), within=hospital
    )
    alone = UnitOut(code="H1", kind="hospital", name=name, within=None)
    assert (VI.unit(ward), EN.unit(ward)) == ("Khoa Nội (Bệnh viện)", "Medicine (Hospital)")
    assert VI.unit(alone) == "Bệnh viện"
    assert VI.about(alone).unit(ward) == "Khoa Nội"
    assert VI.about(alone).about(None).unit(ward) == "Khoa Nội (Bệnh viện)"


def test_a_limit_of_a_change_says_on_which_side_of_zero_it_lies():
    assert EN.change(Limits(estimate=None, low=-0.0251, high=-0.0004)) == "−2.5\u00a0…\u00a0−0.04"
    assert VI.change(Limits(estimate=None, low=0.0003, high=0.02)) == "+0,03\u00a0…\u00a0+2,0"
    assert VI.change(Limits(estimate=None, low=0.0, high=0.02)) == "0,0\u00a0…\u00a0+2,0"


#: As Intl.Collator("vi", {numeric: true}) of ICU 78.2 (CLDR 48) sorts these names of communes.
IN_ORDER = """Phường 1, Phường 2, Phường 10, Phường Dữu Lâu, Phường Núi Sam, Phường Phương Liệt,
Phường Tứ Hạ, Thị trấn Chí Thạnh, Xã Ân Thi, Xã Bàu Bàng, Xã Bàu Cạn, Xã Bàu Chinh, Xã Bàu Đồn,
Xã Bàu Hàm, Xã Bàu Hàm 2, Xã Bàu Lâm, Xã Bàu Năng, Xã Bàu Trâm, Xã Bắc Thanh Miện, Xã Đá Bạc,
Xã Đông Cứu, Xã Ea Đar, Xã Ea Kuêh, Xã Hòa Bình, Xã Hóa Hợp, Xã Khánh Mậu, Xã Lát, Xã Long Mỹ,
Xã Lộ 25, Xã Lơ Ku, Xã Quảng Đông, Xã Quân Hà, Xã Trần Đề, Xã Xuân Thượng"""


def test_names_stand_in_the_order_of_the_vietnamese_alphabet():
    names = [" ".join(name.split()) for name in IN_ORDER.split(",")]
    assert sorted(Random(1).sample(names, len(names)), key=alphabetical) == names
    # Tones decide only between the same letters: CLDR's ngang, huyền, hỏi, ngã, sắc, nặng.
    tones = ["ma", "mà", "mả", "mã", "má", "mạ"]
    assert sorted(Random(1).sample(tones, len(tones)), key=alphabetical) == tones
    assert sorted(["má", "mao"], key=alphabetical) == ["má", "mao"]


def test_letters_are_folded_to_how_they_are_typed_without_marks():
    assert folded("Xã  Hòa Hội") == folded("xa hoa hoi") == "xa hoa hoi"
    assert folded("Thị trấn Đất Đỏ") == "thi tran dat do"
    assert folded("Phước Bửu, Ơ Ư Ă Ê") == "phuoc buu, o u a e"
