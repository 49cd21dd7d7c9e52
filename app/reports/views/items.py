"""Items: what matters and how it is done, so that what to improve first is plain."""

from __future__ import annotations

from typing import Any

from app.reports.views.scene import Scene, index
from app.reports.views.unit import drivers, factors, items


def importance(scene: Scene) -> dict[str, Any]:
    """Importance and rate of each factor, the rate of each item, and the order to improve them.

    Importance is a factor's share of R² of overall satisfaction. Within the factors to improve
    first, the items with the lowest rates come first; where nothing can be said of importance,
    the lowest items do.
    """
    driving = drivers(scene)
    rated = items(scene)
    wanted = set(driving["improve_first"]) if driving else set()
    told = [row for row in rated if row["rate"] is not None]
    first = sorted(told, key=lambda row: (row["factor"] not in wanted, row["rate"]))[:5]
    return scene.head() | {
        "index": index(scene),
        "drivers": driving,
        "factors": factors(scene),
        "items": rated,
        "improve_first": [row["item"] for row in first],
        "method": driving["method"] if driving else "rates alone: too few complete respondents",
    }
