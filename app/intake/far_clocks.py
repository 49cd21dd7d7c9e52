"""What a clock shows that none should: years before 1970 or after 2199, ages below zero.

The respondent was thanked all the same, so a response is not refused for it. The moment becomes
the nearest that is taken, so that the rule of times (``times``) counts the response at receipt and
marks it. Who sends history is refused it: that can be put right.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from pydantic import AwareDatetime, TypeAdapter, ValidationError

from app.intake.schemas import FIRST_MOMENT, LAST_MOMENT, OLDEST_S

_MOMENT = TypeAdapter(AwareDatetime)
#: How browsers write years that have no four digits.
_FAR_YEAR = re.compile(r"([+-])[0-9]{6}-[0-9]{2}-[0-9]{2}T")
_LATEST = LAST_MOMENT - timedelta(seconds=1)


def within_reach(response: Any) -> Any:
    """A response as it was sent, but with moments that can be taken."""
    if not isinstance(response, dict):
        return response
    near = dict(response)
    if "answered_at" in near:
        near["answered_at"] = _nearest(near["answered_at"])
    age = near.get("age_s")
    if type(age) is int:
        if age < 0:  # given after now: by no clock that can be believed
            del near["age_s"]
            near["clock_lost"] = True
        near |= {"age_s": OLDEST_S} if age > OLDEST_S else {}
    return near


def sent_within_reach(batch: Any) -> Any:
    """A batch without the time of a clock that tells nothing of how wrong it is."""
    if isinstance(batch, dict) and _nearest(batch.get("sent_at")) is not batch.get("sent_at"):
        return {name: value for name, value in batch.items() if name != "sent_at"}
    return batch


def _nearest(moment: Any) -> Any:
    """The moment itself where it can be taken, or is none at all."""
    if isinstance(moment, str) and (far := _FAR_YEAR.match(moment)):
        return _LATEST if far[1] == "+" else FIRST_MOMENT
    try:
        read = _MOMENT.validate_python(moment)
    except ValidationError:
        return moment
    if read < FIRST_MOMENT:
        return FIRST_MOMENT
    return _LATEST if read >= LAST_MOMENT else moment
