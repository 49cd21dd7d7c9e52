"""What is masked, by kind, and where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a span of a text tells of somebody."""

    PHONE = "phone"
    IDENTITY = "identity"
    INSURANCE = "insurance"
    TAX = "tax"
    BANK = "bank"
    PLATE = "plate"
    EMAIL = "email"
    DOSSIER = "dossier"
    #: Who writes, or is written for.
    CITIZEN = "citizen"
    #: Who served them, by name or by role and counter.
    STAFF = "staff"


#: Those of persons; all others are numbers and addresses.
PERSONS = frozenset({Kind.CITIZEN, Kind.STAFF})


@dataclass(frozen=True, order=True, slots=True)
class Span:
    """From a sign of a text to before another one."""

    start: int
    end: int
    kind: Kind
