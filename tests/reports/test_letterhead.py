"""The letterhead by Decree 30/2020: derived for every kind of unit from its place in the tree."""

import pytest

from app.messages.words import Words
from app.registry.models import UnitKind
from app.registry.queries import UnitNode
from app.reports.documents.letterhead import PLACES, Signing, letterhead, line, within
from app.settings.signers import Signer
from tests.small_province import SmallProvince

PROVINCE = ("province", "Tỉnh Bà Rịa – Vũng Tàu", "Bà Rịa – Vũng Tàu Province")
CITY = ("province", "Thành phố Cần Thơ", "Cần Thơ City")
DISTRICT = ("district", "Huyện Côn Đảo", "Côn Đảo District")
HEALTH = ("agency", "Sở Y tế", "Department of Health")
HOSPITAL = ("hospital", "Bệnh viện Bà Rịa", "Bà Rịa Hospital")
CENTRE = ("health_centre", "Trung tâm Y tế huyện Châu Đức", "Health Centre of Châu Đức District")
COMMUNE = ("commune", "Xã Long Sơn", "Long Sơn Commune")


def node(place, kind, vi, en):
    return UnitNode(place, f"U{place}", kind, vi, en, None)


def head(language, *units):
    return letterhead(Words(language), [node(n, *unit) for n, unit in enumerate(units)])


#: The units from the issuer upwards; above, issuer, addressee and place in Vietnamese and English.
LINES = [
    ((PROVINCE,),
     ("Ủy ban nhân dân", "Tỉnh Bà Rịa – Vũng Tàu", "", "Bà Rịa – Vũng Tàu"),
     ("People's Committee of", "Bà Rịa – Vũng Tàu Province", "", "Bà Rịa – Vũng Tàu")),
    ((DISTRICT, PROVINCE),
     ("Ủy ban nhân dân", "Huyện Côn Đảo", "Ủy ban nhân dân tỉnh Bà Rịa – Vũng Tàu", "Côn Đảo"),
     ("People's Committee of", "Côn Đảo District",
      "People's Committee of Bà Rịa – Vũng Tàu Province", "Côn Đảo")),
    ((COMMUNE, DISTRICT, PROVINCE),
     ("Ủy ban nhân dân", "Xã Long Sơn", "Ủy ban nhân dân huyện Côn Đảo", "Long Sơn"),
     ("People's Committee of", "Long Sơn Commune", "People's Committee of Côn Đảo District",
      "Long Sơn")),
    # Since July 2025 communes stand directly below their province.
    ((("commune", "Phường 1", "Ward 1"), CITY),
     ("Ủy ban nhân dân", "Phường 1", "Ủy ban nhân dân thành phố Cần Thơ", "Phường 1"),
     ("People's Committee of", "Ward 1", "People's Committee of Cần Thơ City", "Ward 1")),
    ((HEALTH, PROVINCE),
     ("Ủy ban nhân dân tỉnh Bà Rịa – Vũng Tàu", "Sở Y tế",
      "Ủy ban nhân dân tỉnh Bà Rịa – Vũng Tàu", "Bà Rịa – Vũng Tàu"),
     ("People's Committee of Bà Rịa – Vũng Tàu Province", "Department of Health",
      "People's Committee of Bà Rịa – Vũng Tàu Province", "Bà Rịa – Vũng Tàu")),
    ((HOSPITAL, HEALTH, PROVINCE),
     ("Sở Y tế tỉnh Bà Rịa – Vũng Tàu", "Bệnh viện Bà Rịa", "Sở Y tế tỉnh Bà Rịa – Vũng Tàu",
      "Bà Rịa – Vũng Tàu"),
     ("Department of Health of Bà Rịa – Vũng Tàu Province", "Bà Rịa Hospital",
      "Department of Health of Bà Rịa – Vũng Tàu Province", "Bà Rịa – Vũng Tàu")),
    ((CENTRE, HEALTH, CITY),
     ("Sở Y tế thành phố Cần Thơ", CENTRE[1], "Sở Y tế thành phố Cần Thơ", "Cần Thơ"),
     ("Department of Health of Cần Thơ City", CENTRE[2], "Department of Health of Cần Thơ City",
      "Cần Thơ")),
    ((("ward", "Khoa Nội", "Internal Medicine Ward"), HOSPITAL, HEALTH, PROVINCE),
     ("Bệnh viện Bà Rịa", "Khoa Nội", "Ban Giám đốc Bệnh viện Bà Rịa", "Bà Rịa – Vũng Tàu"),
     ("Bà Rịa Hospital", "Internal Medicine Ward", "Directors of Bà Rịa Hospital",
      "Bà Rịa – Vũng Tàu")),
    ((("desk", "Bộ phận Một cửa", "One-stop Desk"), COMMUNE, DISTRICT, PROVINCE),
     ("Ủy ban nhân dân xã Long Sơn", "Bộ phận Một cửa", "Ủy ban nhân dân xã Long Sơn",
      "Long Sơn"),
     ("People's Committee of Long Sơn Commune", "One-stop Desk",
      "People's Committee of Long Sơn Commune", "Long Sơn")),
    # What the registry says already is not said twice.
    ((HOSPITAL, ("agency", "Văn phòng Ủy ban nhân dân tỉnh", "Office of the Committee"), PROVINCE),
     ("Văn phòng Ủy ban nhân dân tỉnh Bà Rịa – Vũng Tàu", "Bệnh viện Bà Rịa",
      "Văn phòng Ủy ban nhân dân tỉnh Bà Rịa – Vũng Tàu", "Bà Rịa – Vũng Tàu"),
     ("Office of the Committee of Bà Rịa – Vũng Tàu Province", "Bà Rịa Hospital",
      "Office of the Committee of Bà Rịa – Vũng Tàu Province", "Bà Rịa – Vũng Tàu")),
    ((("commune", "UBND xã Long Sơn", "People's Committee of Long Sơn Commune"), DISTRICT),
     ("Ủy ban nhân dân", "Xã Long Sơn", "Ủy ban nhân dân huyện Côn Đảo", "Long Sơn"),
     ("People's Committee of", "Long Sơn Commune", "People's Committee of Côn Đảo District",
      "Long Sơn")),
    # A hospital that belongs to nobody in this registry.
    ((HOSPITAL,), ("", "Bệnh viện Bà Rịa", "", "…"), ("", "Bà Rịa Hospital", "", "…")),
]  # fmt: skip


@pytest.mark.parametrize(("units", "vi", "en"), LINES)
def test_who_issues_under_whom_and_to_whom(units, vi, en):
    for language, expected in (("vi", vi), ("en", en)):
        found = head(language, *units)
        above = f"{found.above} {found.above_place}".strip()
        assert (above, found.issuer, found.addressee, found.place) == expected
        assert found.one_name == (units[0][0] in PLACES)


def test_every_kind_of_unit_is_among_these():
    assert {units[0][0] for units, *_ in LINES} == set(UnitKind)


def test_without_a_unit_both_names_are_left_to_be_written():
    found = head("vi")
    assert (found.above, found.issuer) == ("TÊN CƠ QUAN CHỦ QUẢN", "TÊN CƠ QUAN BAN HÀNH")
    assert found.addressee == ""


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Thành phố Vũng Tàu", "thành phố Vũng Tàu"),
        ("Thị xã Phú Mỹ", "thị xã Phú Mỹ"),
        ("Phường 1", "Phường 1"),
        ("Bệnh viện Bà Rịa", "Bệnh viện Bà Rịa"),
        ("Vũng Tàu City", "Vũng Tàu City"),
    ],
)
def test_a_name_within_a_sentence(name, written):
    assert within(name) == written


def test_several_units_have_what_they_all_belong_to(database):
    province = SmallProvince.found(database)
    ids = province.units
    with database.reading() as session:

        def common(*codes):
            return [node.code for node in line(session, [ids[code] for code in codes])]

        assert common("C1", "C2") == ["D1", "77"]
        assert common("C1", "W1") == ["77"]
        assert common("D1", "C1") == ["D1", "77"]
        assert common("W1") == ["W1", "H1", "77"]
        assert common() == []


def test_who_signs_is_whom_the_settings_name_unless_something_else_is_filled_in():
    usual = Signer("BC-UBND", ("TM. ỦY BAN NHÂN DÂN", "CHỦ TỊCH"), "Chủ Tịch Thử")
    assert Signing().or_else(usual) == Signing("", *vars(usual).values())
    assert Signing().or_else(usual).numbered("BC-…") == "…/BC-UBND"
    assert Signing("12").or_else(usual).numbered("BC-…") == "12/BC-UBND"
    assert Signing("12/TTr-SYT").or_else(usual).numbered("BC-…") == "12/TTr-SYT"
    assert Signing("12").or_else(Signer()).numbered("BC-…") == "12/BC-…"
    deputy = Signing(position=("PHÓ CHỦ TỊCH",)).or_else(usual)
    assert (deputy.symbol, deputy.name) == ("BC-UBND", ""), "nobody signs as what he is not"
    other = Signing(name="Người Khác").or_else(usual)
    assert (other.position, other.name) == (usual.position, "Người Khác")
