"""The one place where the judged code is put before the worlds.

``JUDGE`` takes a World and gives a Verdict (``tests/integrity/judging.py``): month by month, as the
service examines its store (``app.integrity.examination``), each held against what the months before
were like. Opening hours are those of the rule that an installation begins with, one for all units.
It never reads ``truth``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast
from uuid import UUID

import numpy as np

from analysis.kinds import KINDS
from analysis.stuffing import learn
from app.integrity.examination import judge, marked
from app.integrity.reading import Batches, Source
from app.integrity.rules import first_rules
from app.registry.questionnaires import Published
from tests.integrity.judging import Judge, Verdict
from tests.integrity.worlds.world import CHANNELS, World


def examined(world: World) -> Verdict:
    """What the rule ``stuffing``, as it comes, says of a world."""
    rule = first_rules()["stuffing"]
    of_all, hours = world.responses, rule.hours.hours()
    sources = len(world.sources.unit)
    groups = int(of_all.group.max(initial=0)) + 1
    own = np.zeros((sources, len(KINDS)))
    past: list[tuple[np.ndarray, np.ndarray]] = []
    probability = np.zeros((world.units, len(world.months), len(CHANNELS)))
    quarantined = np.zeros(len(world), dtype=np.bool_)
    for number, month in enumerate(world.months):
        at = np.flatnonzero(world.month == number)
        if not len(at):
            continue
        here, source = np.unique(of_all.source[at], return_inverse=True)
        responses = replace(
            of_all,
            source=source,
            **{
                name: getattr(of_all, name)[at]
                for name in ("unit", "group", "answered_s", "received_s", "duration_s", "levels")
            },
            particulars=of_all.particulars[at],
            open=hours.open(of_all.answered_s[at]),
            one_screen=of_all.one_screen[at],
        )
        batches = Batches(
            cast(Published, None),
            month,
            tuple(
                Source(int(world.sources.unit[i]), CHANNELS[world.sources.channel[i]], int(i))
                for i in here
            ),
            responses,
            np.array([UUID(int=i).bytes for i in at.tolist()], dtype="V16"),
        )
        part = marked(batches, rule)
        counted = part.counted
        counts = np.concatenate([*(each for each, _ in past), counted.counts])
        group = np.concatenate([*(each for _, each in past), counted.group])
        known = learn(counts, group, groups=groups, model=rule.model())
        suspicion, found = judge(part, known, own[here], rule)
        for i, p in enumerate(suspicion.probability.tolist()):
            unit, channel = world.sources.unit[here[i]], world.sources.channel[here[i]]
            probability[unit, number, channel] = max(p, probability[unit, number, channel])
        for batch in found:
            # Fewer than ten never move (``app.intake.setting_aside``).
            if batch.probability >= (rule.quarantine or 1.0) and len(batch.ids) >= _LEAST:
                quarantined[[UUID(id).int for id, _, _ in batch.ids]] = True
        honest = counted.counts * (1 - suspicion.by_kind)
        own[here] += honest
        past.append((honest, counted.group))
    return Verdict(probability, quarantined, rule.flag)


_LEAST = 10

JUDGE: Judge = examined
