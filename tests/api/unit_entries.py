"""Entries about a unit over the interface: who keeps and ends them, whatever they say."""

from __future__ import annotations

from contextlib import contextmanager

from sqlalchemy import select

from app.access.models import Right
from app.audit.models import AuditEntry
from tests.figures.district import FELL, FORM, URL


class Book:
    """Keeps entries at an address, as one who may; ``usual`` is what they say unless told."""

    def __init__(self, world, path, right, usual):
        self.world, self.path, self.right = world, f"{URL}/{path}", right
        self.usual = {"unit": FELL, "questionnaire": FORM.code} | usual
        self.keeper, self.kept = self.holder(), []

    def holder(self, **where):
        """The headers of somebody who may keep entries."""
        return self.world.province.credential(Right.READ_FIGURES, self.right, **where)

    def __call__(self, status=201, headers=None, **changes):
        wish = {name: value for name, value in (self.usual | changes).items() if value is not None}
        answer = self.world.client.post(self.path, json=wish, headers=headers or self.keeper)
        assert answer.status_code == status, answer.text
        if status == 201:
            self.kept.append(answer.json()["id"])
        return answer.json()

    def end(self, entry, status=204, headers=None):
        at = f"{self.path}/{entry['id']}"
        answer = self.world.client.delete(at, headers=headers or self.keeper)
        assert answer.status_code == status, answer.text
        return answer

    def listed(self, headers, **ask):
        """The entries that somebody is shown."""
        answer = self.world.client.get(self.path, params=ask, headers=headers)
        assert answer.status_code == 200, answer.text
        (entries,) = answer.json().values()
        return entries


@contextmanager
def keeping(world, path, right, **usual):
    """A book; whatever was kept in it is ended at last."""
    book = Book(world, path, right, usual)
    yield book
    for id in book.kept:
        world.client.delete(f"{book.path}/{id}", headers=book.keeper)


def wrong_fields(refusal):
    """The fields that a refusal names."""
    return [error["field"] for error in refusal.get("errors", ())] or [refusal["field"]]


def only_holders_keep(book):
    """Who has not the right keeps and ends none; who has it elsewhere sees none besides."""
    analyst = book.world.analyst
    assert book(403, headers=analyst)["type"] == "/problems/right-missing"
    elsewhere = book.holder(unit="H1")
    assert book(404, headers=elsewhere)["type"] == "/problems/unknown-unit"
    made = book()
    book.end(made, 403, analyst)
    book.end(made, 404, elsewhere)
    assert book.listed(elsewhere) == [] and made in book.listed(analyst)


def listed_once_ended(book, made, begun, ended):
    """Ends an entry; it is listed with both names, or not, and the log has both as actions.

    ``begun`` and ``ended`` are the sort's own words: the action, and the prefix of who and when.
    """
    world = book.world
    (action, kept), (last_action, gone) = begun, ended
    book.end(made)
    book.end(made, 404)
    ask = {"unit": FELL, "questionnaire": FORM.code}
    (found,) = [each for each in book.listed(world.public, **ask) if each["id"] == made["id"]]
    name = found[f"{kept}_by"]
    assert name == found[f"{gone}_by"] and name.endswith("test")
    assert found[f"{kept}_at"] < found[f"{gone}_at"]
    counting = book.listed(world.analyst, **ask, **{gone: False})
    assert made["id"] not in [each["id"] for each in counting]
    with world.province.database.reading() as session:
        actions = session.scalars(
            select(AuditEntry.action)
            .where(
                AuditEntry.subject == str(made["id"]),
                AuditEntry.action.startswith(action.partition(".")[0] + "."),
            )
            .order_by(AuditEntry.id)
        ).all()
    assert actions == [action, last_action]
    return found
