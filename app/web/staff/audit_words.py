"""Entries of the audit log in words: names for the codes that stand there."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from app.audit.models import AuditEntry
from app.messages.words import Words
from app.registry.queries import UnitNode
from surveys.model import Questionnaire

#: Details of entries that have a label in the catalogue; those of former versions keep their name.
DETAILS = (
    "account", "act", "active", "added", "after", "aside", "audit_head", "back", "batch",
    "becomes", "before", "began", "begins", "by", "cells", "changed", "channel", "channels",
    "closed", "code", "columns", "comments", "content_hash", "count", "day", "decision", "ended",
    "ends", "expires_at", "factor", "filters", "first", "first_day", "followed", "forgotten",
    "format", "head", "head_entry", "header", "issuer", "item", "kind", "language", "last",
    "last_day", "latitude", "least", "left_out", "longitude", "lost", "made_at", "name", "name_en",
    "name_vi", "number", "parent", "point", "points", "probability", "program", "quarter",
    "questionnaire", "reason", "released", "responses", "restored", "rights", "role", "rows",
    "rule", "schema", "seconds", "sector", "sha256", "since", "source", "start", "step", "text",
    "texts", "undoes", "unit", "unit_before", "unit_id", "units", "unreadable_texts", "url",
    "version", "void", "waiting", "withdrawn",
)  # fmt: skip
#: Who acts without an account.
ACTORS = ("system", "demonstration", "device", "schedule")
#: What is known by its number.
_NUMBERED = (
    "key",
    "baseline",
    "themes",
    "webhook",
    "action_note",
    "responses",
    "sms",
    "delivery",
    "batch",
    "case",
    "draft",
)
_COMMAND = "command:"


@dataclass(frozen=True)
class EntryShown:
    """An entry as the page shows it; a detail is its label and what it says."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    details: list[tuple[str, str]]


@dataclass(frozen=True)
class AuditWords:
    """Says what codes of the log mean, in one language."""

    words: Words
    zone: ZoneInfo
    units: Mapping[str, UnitNode]
    forms: Mapping[str, Questionnaire]

    def entry(self, entry: AuditEntry) -> EntryShown:
        """An entry in words."""
        details: dict[str, object] = json.loads(entry.details)
        return EntryShown(
            entry.id,
            entry.at,
            self.actor(entry.actor),
            self._said("action", entry.action),
            self.subject(entry),
            [
                (self._label(name), self.detail(name, value))
                for name, value in details.items()
                if value is not None
            ],
        )

    def actor(self, actor: str) -> str:
        """Who did it: a person by address, a key by name, or what acts by itself."""
        if actor.startswith(_COMMAND):
            return self.words("actor.command", name=actor.removeprefix(_COMMAND))
        return self._said("actor", actor) if actor in ACTORS else actor

    def subject(self, entry: AuditEntry) -> str:
        """What it was done to."""
        kind = entry.action.partition(".")[0]
        code, _, version = entry.subject.rpartition("/")
        if kind == "questionnaire" and code:
            return self.words("page.version_of", name=self.form(code), number=version)
        if kind in ("point", "device") and entry.subject.isdecimal():
            return self.words("page.point_number", number=entry.subject)
        if kind in _NUMBERED and entry.subject.isdecimal():
            return self.words("page.number", number=entry.subject)
        if entry.subject in ACTORS:
            return self._said("actor", entry.subject)
        return self.words("page.all") if entry.subject == "all" else entry.subject

    def detail(self, name: str, value: object) -> str:
        """What a detail says."""
        if isinstance(value, dict):  # what a unit was, or became
            said = (f"{self._label(key)}: {self.detail(key, one)}" for key, one in value.items())
            return "; ".join(said)
        if isinstance(value, list):
            one = name.removesuffix("s")
            return ", ".join(self.detail(one, each) for each in value)
        says: dict[str, Callable[[str], str]] = {
            "unit": self.unit,
            "parent": self.unit,
            "kind": lambda kind: self._said("kind", kind),
            "questionnaire": self.form,
            "rights": lambda codes: ", ".join(self._said("right", code) for code in codes.split()),
            "before": lambda state: self._said("point_state", state),
            "after": lambda state: self._said("point_state", state),
            "rule": lambda rule: self._said("integrity.rule", rule),
            "filter": lambda name: self._said("comment_filter", name),
            "step": lambda step: self._said("length", step),
            "by": lambda way: self._said("signed_in_by", way),
            "expires_at": self._moment,
            "since": self._moment,
            "begins": self._moment,
            "ends": self._moment,
            "made_at": self._moment,
        }
        says |= {
            kind: lambda code, kind=kind: self._said(kind, code)  # type: ignore[misc]
            for kind in ("role", "sector", "channel", "language")
        }
        return says.get(name, str)(str(value))

    def unit(self, code: str) -> str:
        """A unit's name with its code behind it; the code of one that is no longer there."""
        node = self.units.get(code)
        if node is None:
            return code
        return f"{node.name_vi if self.words.language == 'vi' else node.name_en} ({code})"

    def form(self, code: str) -> str:
        """A questionnaire's name with its code behind it."""
        form = self.forms.get(code)
        return code if form is None else f"{self.words.name(form.title)} ({code})"

    def _label(self, name: str) -> str:
        return self._said("detail", name)

    def _moment(self, text: str) -> str:
        return f"{datetime.fromisoformat(text).astimezone(self.zone):%d/%m/%Y %H:%M}"

    def _said(self, kind: str, code: str) -> str:
        """The catalogue's word for a code; the code itself where a former version wrote it."""
        try:
            return self.words(f"{kind}.{code}")
        except KeyError:
            return code
