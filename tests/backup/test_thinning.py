"""Which sets stay: the last of so many days, weeks, months; never fewer than one that is whole."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.backup.sets import BackupSet, name_of
from app.backup.thinning import read_rule, superfluous
from app.commands import Refused
from app.settings import Settings

ZONE = Settings().zone
NOON = datetime(2026, 11, 28, 5, tzinfo=UTC)
RULE = read_rule(Settings.model_fields["backup_keep"].default)


def a_set(folder, made_at, content=b"whole"):
    file = folder / name_of(made_at, hashlib.sha256(b"whole").hexdigest(), sealed=True)
    file.write_bytes(content)
    return BackupSet(file, made_at, True)


def test_of_400_days_the_last_of_7_days_4_weeks_and_12_months_stay(tmp_path):
    made = [a_set(tmp_path, NOON - timedelta(hours=6 * n)) for n in range(4 * 400)]
    going = superfluous(made, RULE, ZONE)
    stay = sorted({each.made_at for each in set(made) - set(going)}, reverse=True)
    local = [moment.astimezone(ZONE) for moment in stay]
    assert [f"{day:%d.%m.}" for day in local[:7]] == [f"{d}.11." for d in range(28, 21, -1)]
    assert all(day.hour == 18 for day in local[1:7])  # the last of each day, by the local clock
    assert len({day.strftime("%G%V") for day in local}) >= 4
    assert len({day.strftime("%Y%m") for day in local}) == 12
    assert len(stay) == 7 + 2 + 11  # 28th to 22nd; two more weeks' ends; eleven months' ends
    assert superfluous(sorted(set(made) - set(going), key=str), RULE, ZONE) == []


@given(
    hours=st.lists(st.integers(0, 20_000), min_size=1, max_size=40, unique=True),
    whole=st.data(),
    rule=st.dictionaries(
        st.sampled_from(["hourly", "daily", "weekly", "monthly", "yearly"]), st.integers(0, 5)
    ),
)
def test_the_newest_stays_and_one_that_is_whole(tmp_path_factory, hours, whole, rule):
    folder = tmp_path_factory.mktemp("sets")
    good = whole.draw(st.sets(st.sampled_from(hours)))
    made = [
        a_set(folder, NOON - timedelta(hours=h), b"whole" if h in good else b"damaged")
        for h in hours
    ]
    going = superfluous(made, rule, ZONE)
    stay = [each for each in made if each not in going]
    assert min(made, key=lambda each: NOON - each.made_at) in stay
    if good:
        assert any(each.is_whole() for each in stay)
    else:
        assert not going  # nothing better is known


def test_without_a_rule_all_stay(tmp_path):
    made = [a_set(tmp_path, NOON - timedelta(days=n)) for n in range(50)]
    assert superfluous(made, read_rule(""), ZONE) == []
    assert superfluous(made, read_rule("0 daily"), ZONE) == []


@pytest.mark.parametrize("wrong", ["7", "daily", "7 dayly", "-1 daily", "7 daily, 8 daily"])
def test_what_is_no_rule_is_refused(wrong):
    with pytest.raises(Refused, match="HAILONG_BACKUP_KEEP"):
        read_rule(wrong)
