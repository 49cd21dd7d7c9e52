"""Which list of themes is in force, setting another one, and the versions before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from cachetools import LRUCache
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit.log import record
from app.problems import Problem
from app.themes.finding import Finder, Finding
from app.themes.model import ThemeList
from app.themes.models import ThemeListVersion
from app.themes.reading import first_list

#: The number of the list that comes with the software.
FIRST = 0
#: Comments whose themes a process remembers, a quarter of a kilobyte each.
_MOST_KEPT = 20_000


class NoSuchThemeList(Problem):
    """No version of the list of themes has this number."""

    code, status = "no-such-theme-list", 404


class ThemeListChanged(Problem):
    """Somebody else set a list of themes meanwhile."""

    code, status = "theme-list-changed", 409


@dataclass(frozen=True)
class Version:
    """A version of the list without its words: its number, who set it and when."""

    number: int
    set_by: str | None
    set_at: datetime | None


class Sorter:
    """Finds the themes of comments by one version, and remembers those of the latest."""

    def __init__(self, number: int, themes: ThemeList) -> None:
        self.number, self.themes = number, themes
        self._finder = Finder(themes)
        self._kept: LRUCache[tuple[str, str, str], Finding] = LRUCache(_MOST_KEPT)

    def find(self, questionnaire: str, item: str, text: str) -> Finding:
        """The themes and the tone of an answer to an item."""
        key = (questionnaire, item, text)
        found = self._kept.get(key)
        if found is None:
            found = self._finder.find(questionnaire, item, text)
            self._kept[key] = found
        return found


@lru_cache(maxsize=2)
def _sorter(number: int, content_hash: str, document: str | None) -> Sorter:
    """The sorter of a version; kept by what it says, since databases of one process differ."""
    themes = first_list() if document is None else ThemeList.model_validate_json(document)
    return Sorter(number, themes)


def in_force(session: Session) -> Sorter:
    """What sorts comments: by the newest list, or by the one that comes with the software."""
    row = session.execute(
        select(ThemeListVersion.id, ThemeListVersion.content_hash, ThemeListVersion.document)
        .order_by(ThemeListVersion.id.desc())
        .limit(1)
    ).one_or_none()
    return _sorter(FIRST, "", None) if row is None else _sorter(*row)


def history(session: Session) -> Sequence[Version]:
    """All versions, the newest first; the last is the one that comes with the software."""
    rows = session.execute(
        select(ThemeListVersion.id, ThemeListVersion.set_by, ThemeListVersion.set_at).order_by(
            ThemeListVersion.id.desc()
        )
    )
    return [*(Version(*row) for row in rows), Version(FIRST, None, None)]


def version(session: Session, number: int) -> ThemeList:
    """The list of a version.

    Raises
    ------
    NoSuchThemeList
        Where there is none of the number.
    """
    if number == FIRST:
        return first_list()
    row = session.get(ThemeListVersion, number)
    if row is None:
        raise NoSuchThemeList(number=number)
    return ThemeList.model_validate_json(row.document)


def set_list(session: Session, themes: ThemeList, by: str, before: int | None = None) -> int:
    """Put a list in force; its number, or that of the one in force where it says the same.

    The session must be one that writes. ``before`` is the version that somebody changed, where
    another one may have been set since.

    Raises
    ------
    ThemeListChanged
        Where another version than ``before`` is in force.
    """
    now = in_force(session)
    if before is not None and before != now.number:
        raise ThemeListChanged(number=now.number)
    if themes == now.themes:
        return now.number
    row = ThemeListVersion(
        content_hash=themes.content_hash,
        document=themes.model_dump_json(),
        set_by=by[:200],
        set_at=datetime.now(UTC),
    )
    session.add(row)
    session.flush()
    old, new = now.themes.names(), themes.names()
    record(
        session,
        "themes.set",
        row.id,
        content_hash=themes.content_hash,
        added=sorted(new.keys() - old.keys()),
        lost=sorted(old.keys() - new.keys()),
        count=len(themes.phrases),
    )
    return row.id
