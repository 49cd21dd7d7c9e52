"""What the statistics promise, simulated in worlds that are not kind to them.

Each module states promises of one part of ``analysis/`` and measures them; ``make promises`` runs
them in full and writes the tables into docs/methods.md (one into docs/integrity.md), ``make test``
runs a small form.
"""

from tests.promises import (
    alerts,
    changes,
    control_charts,
    drivers,
    funnels,
    integrity,
    ranks,
    rates,
    reorganisations,
    standardisation,
    themes,
)
from tests.promises.promise import Promise

#: All promises by name, in the order of the pages.
PROMISES: dict[str, Promise] = {
    module.PROMISE.name: module.PROMISE
    for module in (
        rates,
        changes,
        standardisation,
        funnels,
        alerts,
        control_charts,
        reorganisations,
        ranks,
        drivers,
        integrity,
        themes,
    )
}
