"""How many of each unit, channel and month are in a class: kept with a quarter, for later ones.

They are sums: that rows of a quarter are looked at beside those of earlier ones needs nothing of
single responses, which may be deleted by then.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.figures.models import AnonymousQuarter
from app.rollups.measure_counts import Measure

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Placed:
    """How many of a unit, channel and month are in a class of an anonymised quarter."""

    unit_id: Ints
    channel: NDArray[np.str_]
    month: NDArray[np.str_]
    group: Ints
    measures: Sequence[Measure]
    #: Shape (places, measures).
    people: Ints


def packed(placed: Placed) -> bytes:
    """Sums by class as they are stored."""
    out = io.BytesIO()
    np.savez_compressed(
        out, unit_id=placed.unit_id, channel=placed.channel, month=placed.month,
        group=placed.group, people=placed.people,
        measures=np.array(json.dumps([astuple(each) for each in placed.measures])),
    )  # fmt: skip
    return out.getvalue()


def unpacked(content: bytes) -> Placed:
    """Sums by class as they were stored."""
    with np.load(io.BytesIO(content), allow_pickle=False) as read:
        measures = [Measure(*each) for each in json.loads(str(read["measures"]))]
        return Placed(
            read["unit_id"], read["channel"], read["month"], read["group"], measures,
            read["people"],
        )  # fmt: skip


def earlier_of(session: Session, questionnaire: str) -> list[Placed]:
    """The sums of all quarters of a questionnaire that are made."""
    query = select(AnonymousQuarter.placed).where(AnonymousQuarter.questionnaire == questionnaire)
    return [unpacked(bytes(each)) for each in session.scalars(query)]
