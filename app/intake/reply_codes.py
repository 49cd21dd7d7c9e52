"""Codes by which respondents find a reply: claimed before their responses are stored.

One code is one response's. A device that sends its response again sends the same code, which is
then its own; another response with it is refused, for two people would read one reply. A group
without codes asks the database nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol, TypeGuard, cast

from sqlalchemy import Table, delete, select
from sqlalchemy.orm import Session

from app.db import bulk
from app.intake.models import ReplyCode

_CODES = cast(Table, ReplyCode.__table__)
_COLUMNS = ("code_hash", "response_id")
_AT_ONCE = 500
_HASH = re.compile(r"[0-9a-f]{64}")


def is_code_hash(sent: object) -> TypeGuard[str]:
    """Whether something that was sent is the hash of a code."""
    return isinstance(sent, str) and _HASH.fullmatch(sent) is not None


class Coded(Protocol):
    """A response that may have a code."""

    @property
    def id(self) -> str: ...  # noqa: D102

    @property
    def reply_code_hash(self) -> str | None: ...  # noqa: D102


class Claims:
    """The codes of one group, claimed within the transaction that stores it."""

    def __init__(self, session: Session, group: Sequence[Coded]) -> None:
        """Claim each code for the first response of the group that has it.

        The rows of new codes stay locked until the session ends: another process that brings the
        same code at this moment waits, and finds it taken.
        """
        self._session = session
        wanted: dict[str, str] = {}
        claimants: set[str] = set()
        for each in group:
            # One response has one code: of another one with its id the store is to judge.
            code = each.reply_code_hash
            if code is None or each.id in claimants:
                continue
            if wanted.setdefault(code, each.id) == each.id:
                claimants.add(each.id)
        self._owners = dict(wanted)
        self._new: set[str] = set()
        if not wanted:
            return
        mine = _of(session, sorted(claimants))
        # A response that has a code already is sent again, and claims nothing.
        rows = [(code, id) for code, id in sorted(wanted.items()) if id not in mine]
        there = bulk.insert_missing(session.connection(), _CODES, _COLUMNS, rows)
        self._owners |= {code: id for id, code in mine.items()}
        if there:
            keys = sorted((code,) for (code,) in there)
            found = bulk.find_by_key(session.connection(), _CODES, keys, ("response_id",))
            self._owners |= {code: _as_id(id) for (code,), (id,) in found.items()}
        self._new = {code for code, _ in rows} - {code for (code,) in there}

    def refuses(self, response: Coded) -> bool:
        """Whether a response's code is another one's."""
        code = response.reply_code_hash
        return code is not None and self._owners.get(code, response.id) != response.id

    def give_back(self, kept: Sequence[str]) -> None:
        """Keep the new codes of responses that were stored now; nobody has the others."""
        stored = set(kept)
        unused = sorted(code for code in self._new if self._owners[code] not in stored)
        for start in range(0, len(unused), _AT_ONCE):
            part = unused[start : start + _AT_ONCE]
            self._session.execute(delete(ReplyCode).where(ReplyCode.code_hash.in_(part)))


def codes_of(session: Session, ids: Sequence[str]) -> dict[str, str]:
    """The hashes of the codes of stored responses, by id; of those that have one."""
    return _of(session, ids)


def _of(session: Session, ids: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for start in range(0, len(ids), _AT_ONCE):
        query = select(ReplyCode.response_id, ReplyCode.code_hash).where(
            ReplyCode.response_id.in_(ids[start : start + _AT_ONCE])
        )
        found |= {row.response_id: row.code_hash for row in session.execute(query)}
    return found


def _as_id(stored: str) -> str:
    """An id as responses have it: SQLite keeps it without its dashes."""
    plain = str(stored).replace("-", "")
    return "-".join((plain[:8], plain[8:12], plain[12:16], plain[16:20], plain[20:]))
