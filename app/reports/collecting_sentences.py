"""What is still to be collected, in plain sentences."""

from __future__ import annotations

from app.figures.statistic_results import PlanRow
from app.messages.words import Words
from app.reports.views.results import UnitView


def collecting(words: Words, view: UnitView) -> list[str]:
    """How many more each unit must ask in the running month."""
    plan = view.collecting
    said = []
    for row in plan.rows:
        if row.respondents is None:
            said.append(
                words(
                    "tell.collecting_few",
                    unit=words.unit(row.unit),
                    month=words.period(plan.month),
                    least=plan.least_respondents,
                )
            )
            continue
        said.append(
            words(
                "tell.collecting",
                unit=words.unit(row.unit),
                month=words.period(plan.month),
                have=words.people(row.respondents),
                publish=words(
                    "tell.collecting_publish",
                    n=words.number(row.needed_to_publish),
                    least=plan.least_respondents,
                )
                if row.needed_to_publish
                else words("tell.collecting_published"),
                margin=_for_margin(words, row, words.number(100 * plan.margin)),
            )
        )
    return said


def _for_margin(words: Words, row: PlanRow, margin: str) -> str:
    """What a unit still needs to be known well enough, beside what it served where that is less."""
    if not row.needed_for_margin:
        return words("tell.collecting_margin_held", margin=margin)
    if row.cases is not None and row.required > row.cases:
        return words(
            "tell.collecting_beyond_cases",
            margin=margin,
            required=words.number(row.required),
            cases=words.number(row.cases),
        )
    n = words.number(row.needed_for_margin)
    return words("tell.collecting_margin", n=n, margin=margin)
