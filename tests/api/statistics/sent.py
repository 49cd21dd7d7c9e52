"""What was sent about the district, summed up anew, and margins that its operator set."""

from collections import defaultdict

import numpy as np

from tests.figures.district import CODES, COMMUNES, SENT

#: Margins that the operator set; by the second one class would be left out.
REGISTERED, EMPTY = "trips:1=5,2=5,3=5", "trips:1=5,2=5,3=0"


def sums(units=COMMUNES, months=range(18)):
    """Σa, Σm, Σa², Σam, Σm² and n by unit, from what was sent."""
    per = defaultdict(list)
    for commune, m, _, answers in SENT:
        if m in months:
            levels = [answers[code] for code in CODES if code in answers]
            if levels:
                per[commune].append((sum(v >= 4 for v in levels), len(levels)))
    found = np.zeros((6, len(units)))
    for i, unit in enumerate(units):
        if per[unit]:
            a, m = np.array(per[unit], dtype=float).T
            found[:, i] = a.sum(), m.sum(), a @ a, a @ m, m @ m, len(a)
    return found


def by_unit(document):
    return {row["unit"]["code"]: row for row in document["rows"]}
