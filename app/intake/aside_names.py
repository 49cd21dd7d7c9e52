"""Under which name each refused body is kept: the same sent again is kept once."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.intake.models import AsideResponse
from app.intake.texts import body_hashes, is_nobodys
from app.text_keys import DROPPED, TextKeys, is_same

#: Of an id that is none of ours.
_ID_KEPT = 64
#: Where in a hash the part begins that stands in a name, and how long it is, in bytes.
_FROM, _LENGTH = 4, 8


def aside_names(
    session: Session,
    credential_id: int,
    ids: Sequence[str | None],
    hashes: Sequence[tuple[bytes, ...]],
    keys: TextKeys,
) -> list[str]:
    """The names of bodies by their ids as sent, if they had one, and their hashes by each key.

    The id where it is a first one, the id with a part of the hash where another body has it
    already, and that part alone where there is no id, or one that tells of somebody.
    """
    ids = [id[:_ID_KEPT] if id and is_nobodys(id) else None for id in ids]
    wanted = {
        name
        for id, each in zip(ids, hashes, strict=True)
        for name in (*([id] if id else []), *_by_hash(id, each))
    }
    query = select(
        AsideResponse.response_id,
        AsideResponse.body_hash,
        AsideResponse.masker_edition,
        AsideResponse.body,
    ).where(AsideResponse.credential_id == credential_id, AsideResponse.response_id.in_(wanted))
    there = {
        name: _known_hash(hash, edition, body, keys)
        for name, hash, edition, body in session.execute(query)
    }
    names = []
    for id, each in zip(ids, hashes, strict=True):
        if id is not None and (id not in there or is_same(there[id], each)):
            name = id
        else:
            by_hash = _by_hash(id, each) or [secrets.token_hex(_LENGTH)]
            name = next((known for known in by_hash if known in there), by_hash[0])
        there.setdefault(name, each[0] if each else DROPPED)
        names.append(name)
    return names


def _by_hash(id: str | None, hashes: tuple[bytes, ...]) -> list[str]:
    parts = [each[_FROM : _FROM + _LENGTH].hex() for each in hashes]
    return [f"{id[: _ID_KEPT - 2 * _LENGTH - 1]}.{part}" if id else part for part in parts]


def _known_hash(hash: bytes | None, edition: int | None, body: str, keys: TextKeys) -> bytes:
    """The hash of a body that is kept; of one that came before there were keys, by what is kept."""
    if hash is not None:
        return bytes(hash)
    if edition is None and (made := body_hashes(keys, body)):
        return made[0]
    return DROPPED
