"""Publishes forms into the database, where a published version never changes."""

from __future__ import annotations

import json
import logging
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.audit.log import record
from app.db.locks import Lock, hold
from app.problems import Problem
from app.registry.models import PointState, QuestionnaireVersion, SurveyPoint
from surveys import AnswerSheet, Questionnaire, load_directory
from surveys.loader import changed_reason
from surveys.model import Text

log = logging.getLogger("hailong")


class UnknownQuestionnaire(Problem):
    """No published questionnaire has this code."""

    code, status = "unknown-questionnaire", 404


class UnknownVersion(Problem):
    """The questionnaire has no published version of this number."""

    code, status = "unknown-version", 404


class StillAnswered(Problem):
    """Survey points ask the questionnaire, and no other version of it would be left to ask."""

    code, status = "still-answered", 409


class PublishedVersionChangedError(ValueError):
    """A form differs from the version that was published under its code and number."""


@dataclass(frozen=True, eq=False)
class Published:
    """A published version: its row's id, the form, when it came, the sheet that packs its answers.

    Each is read once a process (``_known``), so identity serves as equality and as hash.
    """

    id: int
    form: Questionnaire
    published_at: datetime
    #: Since when it is asked no more, if it was withdrawn.
    withdrawn_at: datetime | None = None
    #: Since when it is asked again, if it had been withdrawn.
    offered_at: datetime | None = None

    @property
    def offered_since(self) -> datetime:
        """Since when it is offered without a break."""
        return self.offered_at or self.published_at

    @cached_property
    def sheet(self) -> AnswerSheet:
        """Checks and packs answers to this version."""
        return AnswerSheet(self.form)


#: Versions never change, so what was read once holds for the life of the process; whether one is
#: withdrawn or offered again does, so it is part of what is looked for.
_known: dict[tuple[int, str, datetime | None, datetime | None], Published] = {}


def take_turns(session: Session) -> None:
    """Wait until nobody else changes which versions there are, or opens points that ask them.

    Whoever decides by what is published calls this before reading it; held until the
    transaction ends.
    """
    hold(session.connection(), Lock.PUBLISHING)


def publish(
    session: Session, forms: Iterable[Questionnaire], *, written_here: bool = False
) -> list[Questionnaire]:
    """Publish the forms that are not published yet; those that were.

    ``written_here`` says that staff wrote them on a page. The number of such a version may come
    with the software later, too: then theirs stays, and the log tells.

    Raises
    ------
    PublishedVersionChangedError
        Where a published version has other content; nothing is published then.
    """
    take_turns(session)
    rows = {(row.code, row.version): row for row in session.scalars(select(QuestionnaireVersion))}
    new = []
    for form in forms:
        published = rows.get((form.code, form.version))
        if published is None:
            new.append(form)
        elif published.written_here and not written_here:
            if not _is(form, published):
                log.warning(
                    "%s version %s is not published: staff published their own under this number",
                    form.code, form.version,
                )  # fmt: skip
        elif not _is(form, published):
            raise PublishedVersionChangedError(changed_reason(form))
    for form in new:
        session.add(
            QuestionnaireVersion(
                code=form.code,
                version=form.version,
                content_hash=form.content_hash,
                document=form.model_dump_json(by_alias=True),
                published_at=datetime.now(UTC),
                written_here=written_here,
            )
        )
        record(
            session,
            "questionnaire.publish",
            f"{form.code}/{form.version}",
            content_hash=form.content_hash,
        )
    return new


def _is(form: Questionnaire, published: QuestionnaireVersion) -> bool:
    if form.content_hash == published.content_hash:
        return True
    # Forms were once published in the spelling of their file, and are read with composed letters
    # (NFC) now: the same file is still the same form.
    composed = unicodedata.normalize("NFC", published.document)
    return form.content_hash == Questionnaire.model_validate_json(composed).content_hash


def available(further: Path | None = None) -> list[Questionnaire]:
    """The forms that come with the software, and those of the operator's own directory.

    Raises
    ------
    FormError
        With every mistake in any of them.
    """
    forms = load_directory()
    if further is not None:
        forms |= load_directory(further)
    return list(forms.values())


def published(session: Session) -> list[Published]:
    """All published versions, oldest first."""
    rows = session.execute(
        select(
            QuestionnaireVersion.id,
            QuestionnaireVersion.content_hash,
            QuestionnaireVersion.document,
            QuestionnaireVersion.published_at,
            QuestionnaireVersion.withdrawn_at,
            QuestionnaireVersion.offered_at,
        ).order_by(QuestionnaireVersion.id)
    )
    return [_read(*row) for row in rows]


def versions_of(session: Session, code: str) -> list[Published]:
    """The published versions of one questionnaire, oldest first.

    Raises
    ------
    UnknownQuestionnaire
        Where there is none.
    """
    found = [version for version in published(session) if version.form.code == code]
    if not found:
        raise UnknownQuestionnaire(questionnaire=code, field="questionnaire")
    return found


def version_of(session: Session, code: str, number: int) -> Published:
    """One published version.

    Raises
    ------
    UnknownQuestionnaire, UnknownVersion
        Where there is none.
    """
    found = [each for each in versions_of(session, code) if each.form.version == number]
    if not found:
        raise UnknownVersion(questionnaire=code, number=number, field="version")
    return found[0]


def offered(versions: Sequence[Published]) -> Published:
    """The version that is asked: the newest that is not withdrawn.

    Where all are withdrawn, which is so only while nothing asks them, the newest.
    """
    left = [each for each in versions if each.withdrawn_at is None]
    return (left or versions)[-1]


def withdraw(session: Session, code: str, number: int) -> None:
    """Ask a version no more: the newest of those left is asked from now on. Answers to it stay.

    The session must be one that writes.

    Raises
    ------
    UnknownQuestionnaire, UnknownVersion
        Where there is no such version.
    StillAnswered
        Where survey points ask the questionnaire and no other version of it is left.
    """
    take_turns(session)
    version = version_of(session, code, number)
    if version.withdrawn_at is not None:
        return
    others = [
        each
        for each in versions_of(session, code)
        if each.withdrawn_at is None and each.id != version.id
    ]
    if not others:
        points = session.scalar(
            select(func.count())
            .select_from(SurveyPoint)
            .where(SurveyPoint.questionnaire == code, SurveyPoint.state != PointState.REVOKED)
        )
        if points:
            raise StillAnswered(questionnaire=code, points=points)
    session.get_one(QuestionnaireVersion, version.id).withdrawn_at = datetime.now(UTC)
    record(session, "questionnaire.withdraw", f"{code}/{number}")


def offer_again(session: Session, code: str, number: int) -> None:
    """Take back that a version was withdrawn. The session must be one that writes.

    Raises
    ------
    UnknownQuestionnaire, UnknownVersion
        Where there is no such version.
    """
    take_turns(session)
    version = version_of(session, code, number)
    if version.withdrawn_at is None:
        return
    row = session.get_one(QuestionnaireVersion, version.id)
    row.withdrawn_at, row.offered_at = None, datetime.now(UTC)
    record(session, "questionnaire.offer", f"{code}/{number}")


def newest(versions: Iterable[Published]) -> dict[str, Published]:
    """The newest version of each questionnaire by its code, in the order of their first ones."""
    return {version.form.code: version for version in versions}


def titles(session: Session) -> dict[str, Text]:
    """What each published questionnaire is called, by its code."""
    return {code: version.form.title for code, version in newest(published(session)).items()}


def _read(
    id: int,
    content_hash: str,
    document: str,
    published_at: datetime,
    withdrawn_at: datetime | None,
    offered_at: datetime | None,
) -> Published:
    key = (id, content_hash, withdrawn_at, offered_at)
    if key not in _known:
        form = Questionnaire.model_validate(json.loads(document))
        _known[key] = Published(id, form, published_at, withdrawn_at, offered_at)
    return _known[key]
