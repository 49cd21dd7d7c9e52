"""Citizens' cases in words."""

from __future__ import annotations

from app.cases.models import Case, Origin
from app.cases.shown import CaseShown, LowItem
from app.messages.words import Words
from app.registry.queries import NamedUnit


def named(words: Words, unit: NamedUnit | None) -> str:
    """A unit's name with its code; of none, that it is dealt with for all."""
    if unit is None:
        return words("case.everywhere")
    return f"{unit.name_vi if words.language == 'vi' else unit.name_en} ({unit.code})"


def state(words: Words, case: Case) -> str:
    """How far a case is."""
    return words("case.state_withdrawn") if case.withdrawn else words(f"case.state.{case.state}")


def low(words: Words, item: LowItem, least: int) -> str:
    """A low mark: of one response which, of a batch how many gave it."""
    text = words.name(item.text)
    if item.level is not None:
        return words("case.low_one", text=text, level=words.name(item.level))
    said = {
        "few": words("case.low_few", text=text, least=least),
        "nearly_all": words("case.low_nearly_all", text=text),
        "number": words("case.low_number", text=text, n=words.number(item.n)),
    }
    return said[item.how_many]


def facts(words: Words, one: CaseShown) -> list[tuple[str, str]]:
    """What a case is, labelled."""
    row, case = one.row, one.row.case
    found = [
        (words("case.month"), words.period(f"{case.month:%Y-%m}")),
        (words("case.due"), words.day(case.due_day)),
        (words("case.owner"), row.owner or words("case.nobody")),
        (words("case.cause"), words.name(row.cause, words("case.no_cause"))),
        (words("case.handed_to_title"), named(words, row.handed_to)),
        (words("case.opened"), words.day(case.opened_day)),
    ]
    if case.follows_id is not None:
        found.append((words("case.follows"), words("case.number", number=case.follows_id)))
    if case.origin == Origin.BATCH:
        found.append((words("case.responses"), words.number(case.responses)))
    if case.closed_day is not None:
        late = case.closed_day > case.first_due_day
        said = words(
            "case.closed_late" if late else "case.closed_in_time",
            day=words.day(case.closed_day), due=words.day(case.first_due_day),
        )  # fmt: skip
        found.append((words("case.closed"), said))
        if case.done is not None:
            found.append((words("case.done"), case.done))
    return found
