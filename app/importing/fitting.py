"""Whether a mapping, a file and a questionnaire fit: what is missing, undecided or there twice."""

from __future__ import annotations

from collections import Counter

from app.importing.headers import Headed
from app.importing.mapping import Mapping, Role
from app.problems import FieldError
from app.tables import WrongTable
from surveys import AnswerSheet
from surveys.model import MultipleChoiceItem


def check_fit(headed: Headed, mapping: Mapping, sheet: AnswerSheet, point: str) -> None:
    """That they fit; ``point`` is the code of rows that name none.

    Raises
    ------
    WrongTable
        With everything that does not.
    """
    wrong: list[FieldError] = []
    there = {column.name for column in headed.columns}
    decided = {*mapping.columns, *mapping.leave_out}
    wrong += [
        FieldError(name, "importing.column_gone", {"name": name})
        for name in decided
        if name not in there and name in mapping.columns
    ]
    wrong += [
        FieldError(
            column.letter, "importing.undecided", {"name": column.name, "column": column.letter}
        )
        for column in headed.columns
        if column.name not in decided
    ]
    items = {item.code: item for item in sheet.form.items}
    whole: Counter[str] = Counter()
    ticks: Counter[tuple[str, int]] = Counter()
    roles: Counter[Role] = Counter()
    for name, meaning in mapping.columns.items():
        if meaning.role is not None:
            roles[meaning.role] += 1
            continue
        item = items.get(meaning.item or "")
        values = {"name": name, "item": meaning.item, "form": sheet.form.code}
        if item is None:
            wrong.append(FieldError(name, "importing.no_item", values))
            continue
        if meaning.option is None:
            whole[item.code] += 1
            continue
        ticks[item.code, meaning.option] += 1
        if not isinstance(item, MultipleChoiceItem) or meaning.option not in {
            option.value for option in item.options
        }:
            wrong.append(
                FieldError(name, "importing.no_such_option", {**values, "option": meaning.option})
            )
    split = {item for item, _ in ticks}
    doubled = [item for item, n in whole.items() if n > 1 or item in split]
    doubled += [f"{item} {option}" for (item, option), n in ticks.items() if n > 1]
    doubled += [role.value for role, n in roles.items() if n > 1]
    wrong += [FieldError(each, "importing.twice", {"meaning": each}) for each in doubled]
    if not {Role.ANSWERED_AT, Role.SUBMITTED_AT} & roles.keys():
        wrong.append(FieldError("answered_at", "importing.no_moment_column"))
    if Role.POINT not in roles and not point:
        wrong.append(FieldError("point", "importing.no_point_column"))
    if not whole and not ticks:
        wrong.append(FieldError("columns", "importing.no_answers"))
    if wrong:
        raise WrongTable(headed.name, wrong)
