"""Publishes forms into the database, where a published version never changes."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit.log import record
from app.problems import Problem
from app.registry.models import QuestionnaireVersion
from surveys import AnswerSheet, Questionnaire, load_directory
from surveys.loader import changed_reason
from surveys.model import Text


class UnknownQuestionnaire(Problem):
    """No published questionnaire has this code."""

    code, status = "unknown-questionnaire", 404


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

    @cached_property
    def sheet(self) -> AnswerSheet:
        """Checks and packs answers to this version."""
        return AnswerSheet(self.form)


#: Versions never change, so what was read once holds for the life of the process.
_known: dict[tuple[int, str], Published] = {}


def publish(session: Session, forms: Iterable[Questionnaire]) -> list[Questionnaire]:
    """Publish the forms that are not published yet; those that were.

    Raises
    ------
    PublishedVersionChangedError
        Where a published version has other content; nothing is published then.
    """
    rows = {(row.code, row.version): row for row in session.scalars(select(QuestionnaireVersion))}
    new = []
    for form in forms:
        published = rows.get((form.code, form.version))
        if published is None:
            new.append(form)
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


def newest(versions: Iterable[Published]) -> dict[str, Published]:
    """The newest version of each questionnaire by its code, in the order of their first ones."""
    return {version.form.code: version for version in versions}


def titles(session: Session) -> dict[str, Text]:
    """What each published questionnaire is called, by its code."""
    return {code: version.form.title for code, version in newest(published(session)).items()}


def _read(id: int, content_hash: str, document: str, published_at: datetime) -> Published:
    key = (id, content_hash)
    if key not in _known:
        form = Questionnaire.model_validate(json.loads(document))
        _known[key] = Published(id, form, published_at)
    return _known[key]
