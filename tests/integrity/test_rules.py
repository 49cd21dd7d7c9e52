"""Rules as data: read from TOML, wrong ones refused by name, versions appended and audited."""

from datetime import UTC, datetime

import numpy as np
import pytest
from pydantic import ValidationError
from sqlalchemy import select

from analysis.responses import Detectors
from app.audit.models import AuditEntry
from app.commands import Refused
from app.integrity.reading import Hours, Range
from app.integrity.rules import (
    Rule,
    first_rules,
    history,
    in_force,
    named,
    names,
    read_rules,
    rules,
    set_rule,
)


def file_of(tmp_path, text):
    file = tmp_path / "rules.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_rule_is_read_from_a_file(tmp_path):
    file = file_of(
        tmp_path,
        "[stuffing]\nflag = 0.6\nquarantine = 0.99\nprior = 0.001\n"
        "[stuffing.hours]\nopens = 7\ncloses = 11.5\ndays = [1, 2]\n"
        "[stuffing.detectors]\nleast_readers = 40\nclose = 1\n",
    )
    rule = read_rules(file)["stuffing"]
    assert (rule.flag, rule.quarantine, rule.model().prior) == (0.6, 0.99, 0.001)
    assert rule.hours.hours() == Hours((Range(7.0, 11.5, (1, 2)),))
    parameters = rule.parameters()
    assert parameters == Detectors(least_readers=40, close=1.0)
    assert type(parameters.least_readers) is int and type(parameters.close) is float


BREAK = """
[[stuffing.hours.ranges]]
opens = 7
closes = 11.5
days = [1, 2, 3, 4, 5, 6]
[[stuffing.hours.ranges]]
opens = 13.5
closes = 17
days = [1, 2, 3, 4, 5]
"""


def test_opening_hours_may_have_a_break_at_noon_and_a_saturdays_morning(tmp_path):
    hours = read_rules(file_of(tmp_path, BREAK))["stuffing"].hours.hours()
    friday, saturday = (datetime(2026, 10, day, tzinfo=UTC).timestamp() for day in (9, 10))
    at = {"morning": 9.0, "noon": 12.5, "afternoon": 15.0, "evening": 17.5}
    found = {
        day: [name for name, hour in at.items() if hours.open(np.array([begin + 3600 * hour]))[0]]
        for day, begin in (("friday", friday), ("saturday", saturday))
    }
    assert found == {"friday": ["morning", "afternoon"], "saturday": ["morning"]}


def test_the_rule_that_came_with_the_program_is_what_the_code_holds_usual():
    (name,) = first_rules()
    assert name == "stuffing" and first_rules()[name] == Rule()
    assert Rule().parameters() == Detectors() and Rule().hours.hours() == Hours()


def test_a_rule_may_flag_only(tmp_path):
    rule = read_rules(file_of(tmp_path, '[stuffing]\nquarantine = "never"\n'))["stuffing"]
    assert rule.quarantine is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[stuffed]\n", "there is no rule stuffed; known: stuffing"),
        ("stuffing = 3\n", "stuffing"),
        ("[stuffing]\nflags = 0.5\n", "stuffing.flags"),
        ("[stuffing]\nflag = 1.5\n", "stuffing.flag"),
        ("[stuffing]\nflag = 0.9\nquarantine = 0.8\n", "quarantine must not lie below flag"),
        ("[stuffing]\nquarantine = 'always'\n", "stuffing.quarantine"),
        ("[stuffing.hours]\nopen = 7\n", "stuffing.hours.open"),
        ("[stuffing.hours]\ndays = [8]\n", "stuffing.hours.days.0"),
        ("[[stuffing.hours.ranges]]\nopens = 9\ncloses = 8\n", "stuffing.hours.ranges.0"),
        ("[stuffing.hours]\nopens = 7\n" + BREAK, "give either ranges, or opens, closes"),
        ("[stuffing.detectors]\nfastest = 1\n", "detectors have no number fastest"),
        ("[stuffing.detectors]\n__doc__ = 1\n", "detectors have no number __doc__"),
        ("[stuffing.detectors]\nclose = nan\n", "close must be a finite number from 0"),
        ("[stuffing.detectors]\nclose = -1\n", "close must be a finite number from 0"),
        ("[stuffing.detectors]\nwindows = 8\n", "detectors have no number windows"),
        ("[stuffing\n", "is no TOML file"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, said):
    with pytest.raises(Refused) as refused:
        read_rules(file_of(tmp_path, text))
    assert said in str(refused.value)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(Refused, match="cannot be read"):
        read_rules(tmp_path / "none.toml")


def test_versions_are_appended_and_audited(database):
    first, second = Rule(), Rule(flag=0.7, quarantine=None, detectors={"close": 0.4})
    with database.reading() as session:
        (came,) = rules(session)
        assert (came.version, came.active, came.rule) == (0, False, first)
        assert in_force(session) == [] and history(session, "stuffing") == []
    with database.writing("an operator") as session:
        one = set_rule(session, "stuffing", first, active=True, by="an operator")
        two = set_rule(session, "stuffing", second, active=True, by="an operator")
        again = set_rule(session, "stuffing", second, active=True, by="another")
        off = set_rule(session, "stuffing", second, active=False, by="an operator")
    assert [each.version for each in (one, two, again, off)] == [1, 2, 2, 3]
    assert again.set_by == "an operator" and two.rule == second
    with database.reading() as session:
        assert [each.version for each in history(session, "stuffing")] == [3, 2, 1]
        assert named(session, "stuffing") == history(session, "stuffing")[0] == off
        assert in_force(session) == [] and names([one, off]) == "stuffing (1), stuffing (3)"
        entries = session.scalars(select(AuditEntry).where(AuditEntry.action == "integrity.rule"))
        found = [(each.actor, each.subject, each.details) for each in entries]
        with pytest.raises(Refused, match="there is no rule other; known: stuffing"):
            named(session, "other")
    assert len(found) == 3 and {each[:2] for each in found} == {("an operator", "stuffing")}
    assert '"version": 2' in found[1][2] or '"version":2' in found[1][2]


def test_an_operator_sets_shows_and_switches_it(hailong, tmp_path):
    assert "stuffing version 0: off; flags from 0.5, sets aside from 0.95" in hailong(
        "integrity", "rules"
    )
    file = file_of(
        tmp_path,
        '[stuffing]\nflag = 0.7\nquarantine = "never"\n[stuffing.detectors]\nclose = 0.25\n',
    )
    assert "stuffing: version 1, off" in hailong("integrity", "set", file)
    assert "stuffing: version 2, in force" in hailong("integrity", "on", "stuffing")
    listed = hailong("integrity", "rules")
    assert "version 2: in force since" in listed and "sets nothing aside" in listed
    shown = hailong("integrity", "show", "stuffing")
    assert "# version 1, " in shown
    # What is shown is what is set: the same rule makes no new version, and stays in force.
    assert "stuffing: version 2, in force" in hailong("integrity", "set", file_of(tmp_path, shown))
    assert "stuffing: version 3, off" in hailong("integrity", "off", "stuffing")
    assert "no rule is in force" in hailong("integrity", "examine", code=1)
    assert "there is no rule other" in hailong("integrity", "on", "other", code=1)
    wrong = file_of(tmp_path, "[stuffing]\nflags = 1\n")
    assert "stuffing.flags" in hailong("integrity", "set", wrong, code=1)


def test_a_rule_cannot_be_changed_once_made():
    with pytest.raises(ValidationError):
        Rule().flag = 0.9
