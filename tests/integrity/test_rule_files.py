"""Rules as files have them: read again as they are shown, and refused where they make no sense."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.commands import Refused
from app.integrity.commands import _toml
from app.integrity.rules import OpeningHours, OpeningRange, Rule, RuleVersion, read_rules

SHARES = st.floats(0.01, 0.99)


@given(
    flag=SHARES,
    quarantine=st.none() | SHARES,
    prior=st.floats(1e-6, 0.4),
    opens=st.floats(0, 17),
    days=st.lists(st.integers(1, 7), max_size=7),
    ranges=st.integers(0, 3),
    detectors=st.dictionaries(
        st.sampled_from(["rare", "close", "compared"]), st.integers(1, 10**6)
    ),
)
def test_what_is_shown_is_read_as_the_same_rule(
    tmp_path_factory, flag, quarantine, prior, opens, days, ranges, detectors
):
    if quarantine is not None:
        flag, quarantine = sorted((flag, quarantine))
    one = OpeningRange(opens=opens, days=tuple(days))
    rule = Rule(
        flag=flag, quarantine=quarantine, prior=prior, detectors=detectors,
        hours=OpeningHours(ranges=(one,) * ranges) if ranges
        else OpeningHours(opens=opens, days=tuple(days)),
    )  # fmt: skip
    assert Rule.model_validate_json(rule.model_dump_json()) == rule
    file = tmp_path_factory.getbasetemp() / "rule.toml"
    file.write_text(_toml(RuleVersion("stuffing", 3, rule, True, "x", None)))
    assert read_rules(file) == {"stuffing": rule}


@pytest.mark.parametrize(
    "text",
    [
        "[stuffing]\nflag = nan",
        "[stuffing]\nquarantine = false",
        "[stuffing]\nflag = 0.9\nquarantine = 0.5",
        "[stuffing.hours]\ndays = [0, 9]",
        "[stuffing.detectors]\ncompared = inf",
        "[stuffing.detectors]\nmoved = nan",
        "[stuffing.detectors]\nclose = -5.0",
        "[stuffing.detectors]\nwindows = 3",
        "[stuffing.detectors]\nleast_readers = 0",
        "[stuffing.detectors]\nleast_readers = 2.5",
        "[stuffing.hours]\nopens = 18\ncloses = 7",
        "[stuffing.detectors]\n__class__ = 3",
        "stuffing = 3",
    ],
)
def test_what_no_rule_can_be_is_refused_in_words(tmp_path, text):
    file = tmp_path / "rule.toml"
    file.write_text(text)
    with pytest.raises(Refused, match="stuffing"):
        read_rules(file)
