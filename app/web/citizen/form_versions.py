"""Which version of a questionnaire a citizen's form showed, and what of it fits a newer one.

A form may stay open while a new version is published: in a tab, or without a network. A level or
an option is a number, and in the new version it may say something else. So a form carries the
version that it showed, and its answers are stored as answers to that one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from starlette.datastructures import FormData

from app.problems import Problem
from app.registry.questionnaires import Published, offered
from app.web.citizen.form_fields import NO_OPINION, FormFields
from surveys.model import (
    CodedItem,
    MultipleChoiceItem,
    NumberItem,
    Questionnaire,
    RatedItem,
    SingleChoiceItem,
    Text,
    TextItem,
)


class FormOutdated(Problem):
    """The form shows an older version of its questionnaire than is taken now, or says none."""

    code, status = "form-outdated", 409


def read(
    data: FormData, versions: Sequence[Published], within: timedelta, now: datetime
) -> tuple[Published, dict[str, list[str]], FormOutdated | None]:
    """The version in which a form is to be taken or shown anew, and what was sent, by item code.

    A form that is taken no longer comes with a problem, in the version that is asked now, with
    what fits it.
    """
    version, newest = shown(versions, data.get("version")), offered(versions)
    if version is None:
        return newest, {}, FormOutdated()
    sent = FormFields(version.form).sent(data)
    if is_taken(version, versions, now, within):
        return version, sent, None
    return newest, carried_over(version.form, newest.form, sent), FormOutdated()


def shown(versions: Sequence[Published], said: object) -> Published | None:
    """The version that a form says it showed, of those published of its questionnaire.

    A form that says none showed the only version there is, if there is only one.
    """
    if said is None and len(versions) == 1:
        return versions[0]
    return next((each for each in versions if str(each.form.version) == said), None)


def is_taken(
    version: Published, versions: Sequence[Published], now: datetime, within: timedelta
) -> bool:
    """Whether a form in this version is taken: in the one that is asked always, in others for some
    time after they were.
    """
    if version is offered(versions):
        return True
    later = versions[versions.index(version) + 1 :]
    ends = [each.offered_since for each in later if each.withdrawn_at is None]
    if version.withdrawn_at is not None:
        ends.append(version.withdrawn_at)
    return now - min(ends) < within


def carried_over(
    old: Questionnaire, new: Questionnaire, sent: Mapping[str, Sequence[str]]
) -> dict[str, list[str]]:
    """What of the answers sent to the old form says the same in the new one, in its numbers.

    A question is the same by its code, kind and wording, an answer by its wording.
    """
    before = {item.code: item for item in old.items}
    kept: dict[str, list[str]] = {}
    for item in new.items:
        was = before.get(item.code)
        if was is None or item.code not in sent or not _asks_the_same(was, item):
            continue
        wordings, values = dict(_answers(old, was)), {t: v for v, t in _answers(new, item)}
        if not values:  # typed, and checked when it is sent again
            kept[item.code] = list(sent[item.code])
            continue
        same = [values.get(wordings[v]) if v in wordings else None for v in sent[item.code]]
        # Of several options all or none: some of them would say something else.
        if all(same):
            kept[item.code] = [value for value in same if value is not None]
    return kept


def _asks_the_same(was: CodedItem | TextItem, item: CodedItem | TextItem) -> bool:
    unit = was.unit if isinstance(was, NumberItem) else None
    other = item.unit if isinstance(item, NumberItem) else None
    return (was.kind, was.text, unit) == (item.kind, item.text, other)


def _answers(form: Questionnaire, item: CodedItem | TextItem) -> Iterator[tuple[str, Text | str]]:
    """What a field may send for an item that is chosen from, with the wording of each."""
    match item:
        case RatedItem():
            scale = form.scales[item.scale]
            options: Sequence[tuple[int, Text]] = [(e.value, e.text) for e in scale.levels]
            no_opinion = scale.no_opinion
        case SingleChoiceItem() | MultipleChoiceItem():
            options = [(e.value, e.text) for e in item.options]
            no_opinion = item.no_opinion
        case _:
            return
    yield from ((str(value), text) for value, text in options)
    if no_opinion:
        yield NO_OPINION, no_opinion.text
