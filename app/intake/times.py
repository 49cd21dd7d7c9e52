"""The rule of times: which moment a response is counted at, given what its sender says.

Let *now* be the server's clock at receipt and *tolerance* ``HAILONG_CLOCK_TOLERANCE_S``.

1. Whoever sends ``sent_at`` with a device credential lets us see how wrong its clock is. Is it
   off by more than the tolerance, every time it claims is corrected by the difference.
2. A moment later than now + tolerance is refused; one within the tolerance becomes now.
3. A device with its own credential may claim a moment up to ``HAILONG_BACKLOG_DAYS`` days back,
   for what it kept while offline; an earlier one is refused.
4. A caller without a credential (a phone with a poster's code) is counted at the time of
   receipt, whatever it claims by more than the tolerance: or else anybody could post into a
   day, or a survey, that is closed. An impossible clock of a citizen's phone loses no answer.
5. The bulk import's right takes any past moment.

Both moments are stored: ``claimed_at`` as sent, ``answered_at`` by this rule.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from app.access.credentials import Caller
from app.access.models import Right
from app.problems import Problem


class AnsweredInFuture(Problem):
    """The moment lies ahead of the server's clock by more than the tolerance."""

    code, status = "answered-in-future", 422


class AnsweredTooLongAgo(Problem):
    """The moment lies further back than this caller may claim."""

    code, status = "answered-too-long-ago", 422


def counted_at(
    claimed: datetime,
    *,
    caller: Caller,
    now: datetime,
    offset: timedelta,
    tolerance_s: int,
    backlog_days: int,
) -> datetime:
    """The moment at which a response is counted, by the rule of this module.

    ``offset`` is what the sender's clock lacks to the server's (rule 1).
    """
    tolerance = timedelta(seconds=tolerance_s)
    moment = claimed
    if abs(offset) > tolerance:
        moment = claimed + offset
    if Right.SUBMIT not in caller.rights and Right.IMPORT_HISTORY not in caller.rights:
        return moment if abs(now - moment) <= tolerance and moment <= now else now
    if moment > now + tolerance:
        raise AnsweredInFuture(field="answered_at", tolerance=tolerance_s)
    if Right.IMPORT_HISTORY not in caller.rights and moment < now - timedelta(days=backlog_days):
        raise AnsweredTooLongAgo(field="answered_at", days=backlog_days)
    return min(moment, now)
