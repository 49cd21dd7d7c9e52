"""Which sets are kept for long: by a rule like ``7 daily, 4 weekly, 12 monthly``.

Of the newest so many days that have sets, each one's last set is kept; so of weeks, months and
years. What remains goes, but never the newest set, and nothing while none of those that stay is
whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

from app.backup.sets import BackupSet
from app.commands import Refused

#: Which period a moment lies in, as text that is equal within it and no other.
_PERIODS = {
    "hourly": "%Y%m%d%H",
    "daily": "%Y%m%d",
    "weekly": "%G%V",
    "monthly": "%Y%m",
    "yearly": "%Y",
}


def read_rule(text: str) -> dict[str, int]:
    """How many sets of each sort of period are kept; nothing means that none ever goes.

    Raises
    ------
    Refused
        For what is no such rule.
    """
    rule: dict[str, int] = {}
    for part in filter(None, (each.strip() for each in text.split(","))):
        number, _, period = part.partition(" ")
        if period not in _PERIODS or period in rule or not number.isdecimal():
            raise Refused(
                f"HAILONG_BACKUP_KEEP: “{part}” is no rule like 7 daily, 4 weekly, 12 monthly"
            )
        rule[period] = int(number)
    return rule


def superfluous(sets: Sequence[BackupSet], rule: dict[str, int], zone: tzinfo) -> list[BackupSet]:
    """The sets that a rule does not keep; empty where too little would be left."""
    if not any(rule.values()):
        return []
    newest_first = sorted(sets, key=lambda each: each.made_at, reverse=True)
    kept = set(newest_first[:1])
    for period, most in rule.items():
        seen: set[str] = set()
        for each in newest_first:
            name = _period(each.made_at, period, zone)
            if name not in seen and len(seen) < most:
                seen.add(name)
                kept.add(each)
    going = [each for each in newest_first if each not in kept]
    if going and not any(each.is_whole() for each in newest_first if each in kept):
        return []
    return going


def _period(moment: datetime, period: str, zone: tzinfo) -> str:
    return moment.astimezone(zone).strftime(_PERIODS[period])
