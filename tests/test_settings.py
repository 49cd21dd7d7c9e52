"""Settings as they are read from the environment: areas, targets in time, the public address."""

from collections import Counter
from datetime import date, timedelta

import pytest
from pydantic import ValidationError

from app.settings import AREAS, Settings, Targets
from app.settings.signers import Signer, Signers

CHANGE = date(2027, 1, 1)


def test_each_setting_stands_in_one_area_with_its_meaning():
    found = Counter(name for area in AREAS for name in area.model_fields)
    assert found == Counter(Settings.model_fields.keys())
    assert all(field.description for field in Settings.model_fields.values())


ONE_OF_EACH_AREA = {
    "database_wait_s": 1.5,
    "port": 8123,
    "body_limit": 4096,
    "batch_limit": 7,
    "kiosk_idle_s": 50,
    "session_s": 600,
    "sms_sender": "Tinh",
    "least_respondents": 12,
    "report_units": "all",
    "case_due_days": 21,
    "audit_heads_every_min": 30,
    "backup_keep": "3 daily",
    "keep_texts_months": 36,
    "demonstration_size": 2000,
    "export_memory_mb": 64,
}


def test_settings_of_every_area_are_read_from_the_environment(monkeypatch):
    assert all(ONE_OF_EACH_AREA.keys() & area.model_fields.keys() for area in AREAS)
    for name, given in ONE_OF_EACH_AREA.items():
        monkeypatch.setenv(f"HAILONG_{name.upper()}", str(given))
    found = Settings()
    assert {name: getattr(found, name) for name in ONE_OF_EACH_AREA} == ONE_OF_EACH_AREA


def test_one_target_holds_on_all_days(monkeypatch):
    assert Settings().target_rate.on(CHANGE) == 0.9
    monkeypatch.setenv("HAILONG_TARGET_RATE", "0.85")
    found = Settings().target_rate
    assert {found.on(day) for day in (date.min, CHANGE, date.max)} == {0.85}
    assert str(found) == "0.85" and Settings(target_rate=0.85).target_rate == found


def test_several_targets_hold_from_their_days_on(monkeypatch):
    monkeypatch.setenv("HAILONG_TARGET_RATE", "0.85, 2028-01-01: 0.95, 2027-01-01:0.9")
    found = Settings().target_rate
    assert found.on(CHANGE - timedelta(days=1)) == 0.85
    assert found.on(CHANGE) == found.on(date(2027, 12, 31)) == 0.9
    assert found.on(date(2028, 1, 1)) == 0.95
    assert Targets.read(str(found)) == found


def test_the_first_holds_before_its_day_too():
    found = Targets.read("2027-01-01: 0.9, 2028-01-01: 0.95")
    assert found.on(date(2020, 1, 1)) == 0.9


@pytest.mark.parametrize(
    "given",
    ["", "1", "0", "90%", "0,85", "0.85, 0.9", "2027-13-01: 0.9", "0.85, 2027-01-01: 1.5",
     "2027-01-01: 0.9, 2027-01-01: 0.8", "0.85,", 1.2],
)  # fmt: skip
def test_what_is_no_target_is_refused(given):
    with pytest.raises(ValidationError, match="target_rate"):
        Settings(target_rate=given)


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("https://hailong.example.vn", "https://hailong.example.vn"),
        ("HTTPS://Hailong.Example.VN/", "https://hailong.example.vn"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://[::1]:8000/", "http://[::1]:8000"),
        ("", None),
    ],
)
def test_the_public_address_is_a_name(monkeypatch, given, read):
    monkeypatch.setenv("HAILONG_PUBLIC_URL", given)
    assert Settings().public_url == read


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("https://tinh.example.vn/hailong", "cannot stand under a path"),
        ("https://tinh.example.vn/hailong/", "cannot stand under a path"),
        ("https://hailong.example.vn/?lang=vi", "cannot stand under a path"),
        ("https://hailong.example.vn/#q", "cannot stand under a path"),
        ("hailong.example.vn", "no address like"),
        ("ftp://hailong.example.vn", "no address like"),
        ("https://", "no address like"),
        ("https://an:secret@hailong.example.vn", "no address like"),
    ],
)
def test_a_public_address_that_would_lead_nowhere_is_refused(given, why):
    with pytest.raises(ValidationError, match=why):
        Settings(public_url=given)


@pytest.mark.parametrize(("given", "kept"), [("0", None), ("", None), ("36", 36)])
def test_months_of_keeping_are_a_number_or_for_ever(monkeypatch, given, kept):
    monkeypatch.setenv("HAILONG_KEEP_TEXTS_MONTHS", given)
    assert Settings().keep_texts_months == kept
    monkeypatch.setenv("HAILONG_KEEP_INVITATIONS_MONTHS", "5")
    with pytest.raises(ValidationError):  # a link may be used for a year
        Settings()


def test_what_changed_meanwhile_is_read_whether_in_the_environment_or_its_file(
    monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / ".env"
    usual = Settings.model_fields["batch_limit"].default

    def limits():
        return Settings().batch_limit, Settings(batch_limit=3).batch_limit

    assert limits() == (usual, 3)
    file.write_text("HAILONG_BATCH_LIMIT=17\n")
    assert limits() == (17, 3)
    file.write_text("HAILONG_BATCH_LIMIT=18\n")
    assert limits() == (18, 3)
    monkeypatch.setenv("hailong_batch_limit", "19")
    assert limits() == (19, 3)
    monkeypatch.setenv("hailong_batch_limit", "none")
    with pytest.raises(ValidationError):
        Settings()
    monkeypatch.delenv("hailong_batch_limit")
    file.unlink()
    assert limits() == (usual, 3)


def test_each_unit_has_its_signer(monkeypatch):
    monkeypatch.setenv(
        "HAILONG_REPORT_SIGNERS",
        "77 = BC-UBND | TM. ỦY BAN NHÂN DÂN / CHỦ TỊCH | Trần Văn A; H1=BC-BV|GIÁM ĐỐC; C1 = ;",
    )
    found = Settings().report_signers
    assert found.of("77") == Signer("BC-UBND", ("TM. ỦY BAN NHÂN DÂN", "CHỦ TỊCH"), "Trần Văn A")
    assert found.of("H1") == Signer("BC-BV", ("GIÁM ĐỐC",))
    assert found.of("C1") == found.of("D1") == Signer()
    assert Signers.read(str(found)) == found


@pytest.mark.parametrize("given", ["77", "= BC", "77 = a | b | c | d", "77 = a; 77 = b"])
def test_what_names_no_signer_is_refused(given):
    with pytest.raises(ValidationError, match="report_signers"):
        Settings(report_signers=given)


@pytest.mark.parametrize("given", ["", "doc", "pdf,", "pdf docx"])
def test_what_is_no_format_of_reports_is_refused(given):
    with pytest.raises(ValidationError, match="report_formats"):
        Settings(report_formats=given)
