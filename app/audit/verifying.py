"""Compares the log with heads that left it, and says in words what could not be checked.

The chain alone proves little: whoever may write to the database can compute it anew. A head from
outside that the log agrees with confirms it up to that entry; one that it does not agree with
tells from where on it is another.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from app.audit import log
from app.audit.heads import Head
from app.audit.models import AuditEntry
from app.audit.signing import fingerprint, holds, signed_at, signed_by

#: The entry by which a restored backup says what it follows.
RESTORE = "restore"


@dataclass(frozen=True)
class _Restore:
    """That from an entry on the log was continued on a backup."""

    #: The entry that says so, when, and the last one that the backup had.
    entry: int
    at: datetime
    last_kept: int


@dataclass
class Comparison:
    """What a comparison of the log with heads has shown."""

    entries: int
    head: str
    #: What is wrong; none where nothing is.
    wrong: list[str] = field(default_factory=list)
    #: What is right, and what could not be checked.
    told: list[str] = field(default_factory=list)
    #: The last entry that a head confirms.
    confirmed: int = 0


def compare(
    session: Session,
    heads: Iterable[Head],
    publics: Sequence[str] = (),
    *,
    apart: Sequence[str] = (),
    noted: str | None = None,
) -> Comparison:
    """Walk the log and hold it against heads.

    ``publics`` are public keys; with none signatures are not looked at. ``apart`` begins the
    names of chains that are known to be other databases'. ``noted`` is a hash that was noted.

    Raises
    ------
    WrongKeyError
        Where one of the keys is none.
    """
    known = {fingerprint(public): public for public in publics}
    verdict = log.verify(session, noted)
    result = Comparison(verdict.entries, verdict.head)
    if verdict.breach is not None:
        result.wrong.append(f"the log breaks at entry {verdict.breach.entry}: "
                            f"{verdict.breach.reason}")  # fmt: skip
    given = {head.payload + head.line.encode(): head for head in heads}.values()
    evidence = _sorted_by_signature(list(given), known, result)
    evidence = [head for head in evidence if not head.chain.startswith(tuple(apart) or ("-",))]
    hashes, first, restores = _walked(session, {head.entry for head in evidence}, publics, result)
    ours = [head for head in evidence if head.chain == first]
    _tell_of_others(evidence, ours, first, result)
    _compare_ours(ours, hashes, restores, result)
    _say_how_far(result, evidence, bool(known))
    return result


def _sorted_by_signature(
    heads: Sequence[Head], known: dict[str, str], result: Comparison
) -> list[Head]:
    """The heads that may count, after telling of those that may not."""
    if not known:
        return list(heads)
    good, unsigned, strange, false = [], 0, 0, 0
    for head in heads:
        if head.signature is None:
            unsigned += 1
        elif head.signature.key not in known:
            strange += 1
        elif holds(head.payload, head.signature, known[head.signature.key]):
            good.append(head)
        else:
            false += 1
    if false:
        result.wrong.append(
            f"{_heads(false)} with a signature that does not hold: somebody made or changed them"
        )
    if unsigned:
        result.told.append(f"{_heads(unsigned)} without a signature: not counted, anybody may "
                           "have written them")  # fmt: skip
    if strange:
        result.told.append(f"{_heads(strange)} signed by a key that was not given: not counted; "
                           "hand its public half in with --key if it is yours")  # fmt: skip
    return good


def _walked(
    session: Session, wanted: set[int], publics: Sequence[str], result: Comparison
) -> tuple[dict[int, str], str, list[_Restore]]:
    """The hashes of entries that heads tell of, the chain's name, and signed restores."""
    hashes: dict[int, str] = {}
    restores = []
    before, first = log.GENESIS, log.GENESIS
    for entry in log.entries(session):
        if entry.id in wanted:
            hashes[entry.id] = entry.hash
        if first == log.GENESIS:
            first = entry.hash
        if entry.action == RESTORE:
            if signed_by(entry, before, publics):
                restores.append(_Restore(entry.id, signed_at(entry), _last_kept(entry)))
            else:
                result.told.append(
                    f"entry {entry.id} says that a backup was restored, and is not signed by a "
                    "key that was given: it explains nothing"
                )
        before = entry.hash
    return hashes, first, restores


def _last_kept(entry: AuditEntry) -> int:
    """The backup's last entry: the one before, or an earlier one that the restore names."""
    named = log.details_of(entry).get("head_entry")
    return named if isinstance(named, int) and 0 <= named < entry.id else entry.id - 1


def _tell_of_others(
    evidence: Sequence[Head], ours: Sequence[Head], first: str, result: Comparison
) -> None:
    """Tell heads of other chains apart: another database's, or of this log before its exchange."""
    others: dict[str, list[Head]] = {}
    for head in evidence:
        if head.chain != first:
            others.setdefault(head.chain, []).append(head)
    for chain, heads in others.items():
        last = max(heads, key=lambda head: head.told_at)
        result.wrong.append(
            f"{_heads(len(heads))} of another log (chain {chain[:12]}, the last of "
            f"{last.told_at:%Y-%m-%d %H:%M} with {last.entry} entries): the whole log was "
            "exchanged or rewritten from its first entry on; or they are of another database, "
            f"which you tell by --apart {chain[:12]}"
        )


def _compare_ours(
    heads: Sequence[Head], hashes: dict[int, str], restores: Sequence[_Restore], result: Comparison
) -> None:
    """Find the first entry that is not what a head says, and the last one that is."""
    differing, lost = [], []
    for head in heads:
        if hashes.get(head.entry) == head.hash:
            continue
        if any(_explains(restore, head) for restore in restores):
            lost.append(head)
        else:
            differing.append(head)
    worst = min(differing, key=lambda head: head.entry, default=None)
    agreeing = [head.entry for head in heads if hashes.get(head.entry) == head.hash]
    result.confirmed = max(
        (each for each in agreeing if worst is None or each < worst.entry), default=0
    )
    if lost:
        ends = max(lost, key=lambda head: head.entry)
        result.told.append(
            f"{_heads(len(lost))} of entries that a restored backup did not have, up to entry "
            f"{ends.entry}: explained by a signed entry"
        )
    if worst is None:
        return
    begins, when = result.confirmed + 1, f"{worst.told_at:%Y-%m-%d %H:%M} UTC"
    if worst.entry > result.entries:
        had = max(differing, key=lambda head: head.entry)
        result.wrong.append(
            f"the log was cut: entries from {result.entries + 1} on are missing, and it had "
            f"{had.entry} on {had.told_at:%Y-%m-%d %H:%M} UTC"
        )
    elif begins == worst.entry:
        result.wrong.append(
            f"the log was rewritten from entry {begins} on: that entry was another on {when}"
        )
    else:
        result.wrong.append(
            f"the log was rewritten, from one of the entries {begins} to {worst.entry} on: entry "
            f"{worst.entry} was another on {when}"
        )


def _explains(restore: _Restore, head: Head) -> bool:
    """Whether a head tells of entries that were lost by a restore, and nothing that came after."""
    return head.entry > restore.last_kept and head.told_at < restore.at


def _say_how_far(result: Comparison, evidence: Sequence[Head], keyed: bool) -> None:
    if not evidence:
        result.told.append(
            "no head from outside was found: the chain follows, but nobody outside could confirm "
            "that it is the one that was written"
        )
        return
    if not keyed:
        result.told.append("no public key was given: signatures of heads were not checked")
    if result.wrong or not result.confirmed:
        return
    since = result.entries - result.confirmed
    result.told.append(
        f"heads from outside confirm the log up to entry {result.confirmed}"
        + (f"; the {since} since are confirmed by none yet" if since else "")
    )


def _heads(count: int) -> str:
    return "1 head" if count == 1 else f"{count} heads"
