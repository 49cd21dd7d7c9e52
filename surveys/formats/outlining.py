"""From one of our forms to an outline, which every format is written from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from surveys.formats.findings import Findings, Place
from surveys.formats.outline import (
    NO_OPINION,
    Choice,
    Clause,
    FormMark,
    Group,
    Mark,
    Outline,
    Question,
    ScaleMark,
)
from surveys.model import (
    CodedItem,
    Level,
    LongTextItem,
    MultipleChoiceItem,
    NoOpinion,
    NumberItem,
    Option,
    PercentItem,
    Questionnaire,
    RatedItem,
    ShortTextItem,
    SingleChoiceItem,
    Text,
    TextItem,
    ZeroToTenItem,
)


def outline_of(form: Questionnaire, findings: Findings) -> Outline:
    """The outline of a form, with marks for what other programs have no word for.

    ``findings`` gets what these programs will not show or count.
    """
    groups = [
        Group(
            factor.code,
            _texts(factor.title),
            tuple(
                _in_factor(_question(form, item, findings), factor.code) for item in factor.items
            ),
            Place(f"factors.{factor.code}"),
        )
        for factor in form.factors
    ]
    if form.more:
        groups.append(Group("", {}, tuple(_question(form, i, findings) for i in form.more)))
    findings.add(Place("scoring"), "formats.score_in_mark")
    return Outline(
        form.code, _texts(form.title), tuple(groups), str(form.version), "vi", form.spoken,
        _form_mark(form),
    )  # fmt: skip


def _in_factor(question: Question, factor: str) -> Question:
    return replace(question, mark=msgspec.structs.replace(question.mark, factor=factor))


def _texts(text: Text) -> dict[str, str]:
    return dict(text.model_dump())


def _form_mark(form: Questionnaire) -> FormMark:
    used = {item.scale for item in form.items if isinstance(item, RatedItem)}
    scales = {}
    for name, scale in form.scales.items():
        levels, none, value = [], {}, None
        if name not in used:
            levels = [_texts(level.text) for level in scale.levels]
            if scale.no_opinion:
                none, value = _texts(scale.no_opinion.text), scale.no_opinion.value
        scales[name] = ScaleMark(list(scale.satisfied), levels, none, value)
    return FormMark(
        code=form.code,
        version=form.version,
        title=_texts(form.title),
        source=_texts(form.source),
        unverified=list(form.unverified),
        estimated_minutes=form.estimated_minutes,
        keep_partial=form.keep_partial,
        scales=scales,
        index=list(form.scoring.index),
        leave_out=list(form.scoring.leave_out),
        languages=dict(form.languages),
    )


def _question(  # noqa: PLR0911 - a kind of item each
    form: Questionnaire, item: CodedItem | TextItem, findings: Findings
) -> Question:
    place = Place(item.code)
    texts, required = _texts(item.text), item.required
    conditions: tuple[Clause, ...] = ()
    if item.shown_if:
        codes = tuple(str(value) for value in item.shown_if.is_)
        conditions = (Clause(item.shown_if.item, codes),)

    def made(kind: str, **fields: object) -> Question:
        return Question(
            item.code, kind, texts, place,  # type: ignore[arg-type]
            required=required, conditions=conditions, **fields,  # type: ignore[arg-type]
        )  # fmt: skip

    match item:
        case RatedItem():
            scale = form.scales[item.scale]
            value = scale.no_opinion.value if scale.no_opinion else None
            return made(
                "one", choices=_choices(scale.levels, scale.no_opinion), list_name=item.scale,
                is_scale=True, mark=Mark("rated", item.scale, no_opinion_value=value),
            )  # fmt: skip
        case SingleChoiceItem() | MultipleChoiceItem():
            value = item.no_opinion.value if item.no_opinion else None
            return made(
                "one" if isinstance(item, SingleChoiceItem) else "many",
                choices=_choices(item.options, item.no_opinion), list_name=item.code,
                mark=Mark(item.kind, no_opinion_value=value),
            )  # fmt: skip
        case ZeroToTenItem():
            return made("number", minimum=0, maximum=10, mark=_number_mark(item, findings))
        case PercentItem():
            return made(
                "number", minimum=0, maximum=item.maximum, mark=_number_mark(item, findings)
            )
        case NumberItem():
            return made(
                "number", minimum=item.minimum, maximum=item.maximum, decimals=item.decimals,
                mark=_number_mark(item, findings),
            )  # fmt: skip
        case ShortTextItem():
            return made("text", max_length=item.max_length, mark=Mark("short_text"))
        case LongTextItem():
            return made("text", max_length=item.max_length, long=True, mark=Mark("long_text"))


def _number_mark(item: ZeroToTenItem | PercentItem | NumberItem, findings: Findings) -> Mark:
    unit = _texts(item.unit) if isinstance(item, NumberItem) and item.unit else {}
    none = item.no_opinion
    if none is not None:
        findings.add(Place(item.code), "formats.no_opinion_in_mark", code=item.code)
    return Mark(
        item.kind,
        no_opinion=_texts(none.text) if none else {},
        no_opinion_value=none.value if none else None,
        unit=unit,
        decimals=item.decimals if isinstance(item, NumberItem) else 0,
    )


def _choices(
    steps: Sequence[Level] | Sequence[Option], none: NoOpinion | None
) -> tuple[Choice, ...]:
    found = [Choice(str(step.value), _texts(step.text)) for step in steps]
    if none is not None:
        found.append(Choice(NO_OPINION, _texts(none.text)))
    return tuple(found)
