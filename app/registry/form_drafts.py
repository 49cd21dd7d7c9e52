"""Questionnaires that are being written: kept as drafts, changed in turn, published as versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit.log import record
from app.problems import Problem
from app.registry.form_reasons import unread
from app.registry.models import QuestionnaireDraft
from app.registry.questionnaires import (
    Published,
    UnknownQuestionnaire,
    publish,
    take_turns,
    versions_of,
)
from surveys import Questionnaire
from surveys.editing import faults, form_of
from surveys.formats import as_yaml
from surveys.model import Sketch, Text
from surveys.reading import MOST_BYTES, Unread, UnreadableError, parsed, text_of

#: Drafts at a time: nobody writes as many.
MOST_DRAFTS = 200


class NoSuchDraft(Problem):
    """No draft has this number: it was published or thrown away."""

    code, status = "no-such-draft", 404


class DraftChanged(Problem):
    """Somebody else changed the draft meanwhile, or published a version of its questionnaire."""

    code, status = "draft-changed", 409


class DraftUnfinished(Problem):
    """The draft is no questionnaire yet; its page says what is wrong."""

    code, status = "draft-unfinished", 409


class DraftUnchanged(Problem):
    """The draft says the same as the version that is published."""

    code, status = "draft-unchanged", 409


class DraftTooLarge(Problem):
    """A questionnaire may have only so many parts and signs."""

    code, status = "draft-too-large", 422


class TooManyDrafts(Problem):
    """So many drafts are kept that some must be thrown away first."""

    code, status = "too-many-drafts", 409


@dataclass(frozen=True)
class Draft:
    """A draft as it is kept."""

    id: int
    revision: int
    sketch: Sketch
    changed_by: str
    changed_at: datetime


@dataclass(frozen=True)
class DraftEntry:
    """A draft in the list of all: what it is called, and who changed it last."""

    id: int
    code: str
    title: Text
    changed_by: str
    changed_at: datetime


def all_drafts(session: Session) -> Sequence[DraftEntry]:
    """All drafts, those changed last first; none of their documents is read."""
    rows = session.execute(
        select(
            QuestionnaireDraft.id, QuestionnaireDraft.code, QuestionnaireDraft.title,
            QuestionnaireDraft.changed_by, QuestionnaireDraft.changed_at,
        ).order_by(QuestionnaireDraft.changed_at.desc(), QuestionnaireDraft.id.desc())
    )  # fmt: skip
    return [
        DraftEntry(id, code, Text.model_validate_json(title), changed_by, changed_at)
        for id, code, title, changed_by, changed_at in rows
    ]


def draft(session: Session, id: int) -> Draft:
    """One draft.

    Raises
    ------
    NoSuchDraft
        Where there is none of the number.
    """
    return _read(_row(session, id))


def add_draft(session: Session, sketch: Sketch, by: str) -> int:
    """Keep a new draft; its number. The session must be one that writes.

    Raises
    ------
    TooManyDrafts
        Where as many are kept as may be.
    DraftTooLarge
        Where it has more parts or signs than a questionnaire may have.
    """
    take_turns(session)
    if len(session.scalars(select(QuestionnaireDraft.id)).all()) >= MOST_DRAFTS:
        raise TooManyDrafts(most=MOST_DRAFTS)
    row = QuestionnaireDraft(
        code=sketch.code, title=_title(sketch), document=_written(sketch), revision=1,
        changed_by=by[:200], changed_at=datetime.now(UTC),
    )  # fmt: skip
    session.add(row)
    session.flush()
    record(session, "draft.add", row.id, questionnaire=sketch.code)
    return row.id


def change_draft(session: Session, id: int, revision: int, sketch: Sketch, by: str) -> None:
    """Put a changed draft in the place of the one that somebody saw.

    The session must be one that writes.

    Raises
    ------
    NoSuchDraft
        Where there is none of the number.
    DraftChanged
        Where it is no longer of that revision.
    DraftTooLarge
        As ``add_draft`` does.
    """
    row = _row(session, id, revision)
    row.code, row.title, row.document = sketch.code, _title(sketch), _written(sketch)
    row.revision += 1
    row.changed_by, row.changed_at = by[:200], datetime.now(UTC)
    record(session, "draft.change", id, questionnaire=sketch.code)


def discard_draft(session: Session, id: int, revision: int) -> None:
    """Throw a draft away. The session must be one that writes.

    Raises
    ------
    NoSuchDraft, DraftChanged
        As ``change_draft`` does.
    """
    row = _row(session, id, revision)
    session.delete(row)
    record(session, "draft.discard", id, questionnaire=row.code)


def publish_draft(session: Session, id: int, revision: int, before: int) -> Questionnaire:
    """Publish a draft as the next version of its questionnaire, and keep it no longer.

    ``before`` is the number of the newest version that somebody saw the difference to, 0 for
    none. The session must be one that writes.

    Raises
    ------
    NoSuchDraft, DraftChanged
        As ``change_draft`` does; also where another version was published meanwhile.
    DraftUnfinished
        Where it is no form yet.
    DraftUnchanged
        Where it says what that version says.
    """
    take_turns(session)  # or two would find the same version the newest
    row = _row(session, id, revision)
    sketch = _read(row).sketch
    newest = newest_of(session, sketch.code)
    if (newest.form.version if newest else 0) != before:
        raise DraftChanged
    form = form_of(sketch.model_copy(update={"version": before + 1}))
    if form is None:
        raise DraftUnfinished(count=sum(1 for _ in faults(sketch)))
    if newest is not None and same(newest.form, form):
        raise DraftUnchanged(number=before)
    publish(session, [form], written_here=True)
    session.delete(row)
    return form


def newest_of(session: Session, code: str) -> Published | None:
    """The newest published version of a questionnaire, withdrawn or not; None where none is."""
    try:
        return max(versions_of(session, code), key=lambda each: each.form.version)
    except UnknownQuestionnaire:
        return None


def same(one: Sketch, other: Sketch) -> bool:
    """Whether two forms say the same, whatever their numbers."""
    return (
        one.model_copy(update={"version": 1}).model_dump()
        == other.model_copy(update={"version": 1}).model_dump()
    )


def yaml_of(sketch: Sketch) -> str:
    """A form as the YAML that files of forms are written in."""
    return as_yaml(sketch.model_dump(mode="json", by_alias=True, exclude_defaults=True))


def sketch_in(content: bytes) -> Sketch:
    """A sketch from the YAML of one.

    Raises
    ------
    UnreadableError
        Where it is no YAML that is read.
    pydantic.ValidationError
        Where it is none of a form.
    """
    _, document = parsed(text_of(content))
    return Sketch.model_validate(document)


def _row(session: Session, id: int, revision: int | None = None) -> QuestionnaireDraft:
    row = session.get(QuestionnaireDraft, id, with_for_update=revision is not None)
    if row is None:
        raise NoSuchDraft(number=id)
    if revision is not None and row.revision != revision:
        raise DraftChanged
    return row


def _read(row: QuestionnaireDraft) -> Draft:
    sketch = Sketch.model_validate_json(row.document)
    return Draft(row.id, row.revision, sketch, row.changed_by, row.changed_at)


def _title(sketch: Sketch) -> str:
    return sketch.title.model_dump_json()


def _written(sketch: Sketch) -> str:
    """A sketch as it is kept, if its YAML will be read again: that has bounds."""
    document = sketch.model_dump_json(by_alias=True)
    if len(document) > 4 * MOST_BYTES:
        larger = Unread("larger", {"most": MOST_BYTES // 1024})
        raise DraftTooLarge(reason=unread(larger))
    try:
        parsed(text_of(yaml_of(sketch).encode("utf-8", "replace")))
    except UnreadableError as beyond:
        raise DraftTooLarge(reason=unread(beyond.said)) from beyond
    return document
