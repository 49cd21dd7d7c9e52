"""Which province a folder holds: what was asked for, or what is there already."""

import json
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from app.commands import Refused
from app.demonstration.commands import Plan, end_of
from app.demonstration.province import OF_2020, OF_TODAY, PROVINCES
from app.settings import Settings

UNTIL = datetime(2026, 11, 24, 9, 0, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))


def test_the_setting_names_a_province_and_nothing_else(monkeypatch):
    monkeypatch.delenv("HAILONG_DEMONSTRATION_PROVINCE", raising=False)
    assert PROVINCES[Settings().demonstration_province] is OF_TODAY
    monkeypatch.setenv("HAILONG_DEMONSTRATION_PROVINCE", "2020")
    assert PROVINCES[Settings().demonstration_province] is OF_2020
    monkeypatch.setenv("HAILONG_DEMONSTRATION_PROVINCE", "2021")
    with pytest.raises(ValidationError):
        Settings()


@pytest.mark.parametrize("province", PROVINCES.values(), ids=PROVINCES)
def test_a_folder_keeps_its_province(province, tmp_path):
    begun = Plan.of(tmp_path, 1000, 7, UNTIL, province)
    assert begun == Plan(1000, 7, UNTIL, province)
    for asked in PROVINCES.values():
        later = UNTIL.replace(year=2027)
        assert Plan.of(tmp_path, 2000, 8, later, asked) == begun


def test_a_folder_from_before_there_was_a_choice_holds_that_of_2020(tmp_path):
    kept = {"size": 1000, "seed": 7, "until": UNTIL.isoformat()}
    (tmp_path / "plan.json").write_text(json.dumps(kept), encoding="utf-8")
    assert Plan.of(tmp_path, 1000, 7, UNTIL, OF_TODAY).province is OF_2020


def test_answers_end_on_a_given_day_that_has_come():
    assert end_of(date(2026, 6, 1), UNTIL, OF_TODAY) == datetime(
        2026, 6, 1, 16, 30, tzinfo=UNTIL.tzinfo
    )
    assert end_of(UNTIL.date(), UNTIL, OF_TODAY) == UNTIL
    for day in (UNTIL.date() + timedelta(days=1), date(2024, 6, 1)):
        with pytest.raises(Refused, match=f"--until {day} does not lie between"):
            end_of(day, UNTIL, OF_TODAY)
