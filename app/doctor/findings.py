"""What a check finds, and how checks are run: one that breaks is a finding itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from app.settings import Settings


class Severity(StrEnum):
    """How bad it is."""

    WELL = "well"
    #: Not asked for by the settings, or not to be found out from here.
    UNKNOWN = "unknown"
    LOOK = "look"
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """What one check found, in a sentence, and what to do about it."""

    check: str
    severity: Severity
    what: str
    do: str = ""


def well(check: str, what: str) -> Finding:
    """A thing that is as it should be."""
    return Finding(check, Severity.WELL, what)


def unknown(check: str, what: str, do: str = "") -> Finding:
    """A thing that is not set up, or cannot be found out."""
    return Finding(check, Severity.UNKNOWN, what, do)


def look(check: str, what: str, do: str) -> Finding:
    """A thing that will be wrong, or is for some."""
    return Finding(check, Severity.LOOK, what, do)


def wrong(check: str, what: str, do: str) -> Finding:
    """A thing that is wrong now."""
    return Finding(check, Severity.WRONG, what, do)


@dataclass(frozen=True)
class Check:
    """One question, and those whose good answers it stands on."""

    name: str
    ask: Callable[[Settings], Iterable[Finding]]
    needs: tuple[str, ...] = ()


def examine(checks: Iterable[Check], settings: Settings) -> Iterator[Finding]:
    """The findings of all checks; what stands on something wrong is not asked."""
    bad: set[str] = set()
    for check in checks:
        if ill := bad.intersection(check.needs):
            yield unknown(check.name, f"not examined: first mend {', '.join(sorted(ill))}")
            continue
        for finding in _examined(check, settings):
            if finding.severity is Severity.WRONG:
                bad.add(check.name)
            yield finding


def _examined(check: Check, settings: Settings) -> Iterator[Finding]:
    """That a check could not be made is a finding too: whoever asks is ill."""
    name = check.name
    try:
        yield from check.ask(settings)
    except Exception as error:  # noqa: BLE001 - told as what it is, and the next check is made
        told = str(error).strip().splitlines() or [type(error).__name__]
        yield wrong(name, f"could not be examined: {told[0]}", "Mend what the sentence names.")
