"""A view over time, in months where these hold enough respondents, in quarters otherwise."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np

from app.reports import courses
from app.reports.asked import TooFewUnits
from app.reports.limits import Judging
from app.reports.periods import Step
from app.reports.views.scene import Scene

_YEARS = 3


def course(scene: Scene) -> dict[str, Any] | None:
    """Rates with control limits up to the end of the period, of the unit or all units together."""
    together = scene.unit is None
    first = max(scene.known[0], date(scene.span.last.year - _YEARS, 1, 1))
    last = min(scene.span.last, scene.known[1])
    if last < first:
        return None
    asked = scene.over(first=first, last=last)
    try:
        judging = Judging(target=scene.settings.target_rate)
        found = courses.trend(asked, step=Step.MONTH, together=together, judging=judging)
        people = [point["respondents"] or 0 for point in found["rows"][0]["points"]]
        # Limits allow for few people, and twelve quarters before the judged one are rarely there:
        # months, as long as the middle one may be shown to everybody.
        if np.median(people) < scene.asked.least:
            found = courses.trend(asked, step=Step.QUARTER, together=together, judging=judging)
    except TooFewUnits:
        return None
    row = found["rows"][0]
    return {"step": found["step"], "method": found["method"], **row}
