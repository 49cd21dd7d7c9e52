"""Made-up views for charts, and what of a drawn chart is looked at."""

from app.messages.words import Words
from app.reports.charts import trend_chart
from app.reports.views.results import Units
from tests.results import result

WORDS = {language: Words(language) for language in ("vi", "en")}


def rows(count, target=0.9):
    """Units of which a third lies below the target, a third above it."""
    found = []
    for i in range(count):
        middle = (0.8, 0.9, 0.97)[i % 3]
        found.append(
            {
                "unit": {
                    "code": f"U{i}", "kind": "commune", "name": {"vi": f"Xã {i}", "en": f"C {i}"},
                    "within": None,
                },
                "rate": middle, "low": middle - 0.02, "high": min(1.0, middle + 0.02),
                "respondents": 10 + i, "suppressed": False, "latitude": 10 + i / 50,
                "longitude": 107 + i / 70, "rank_low_simultaneous": 1,
                "rank_high_simultaneous": count, "change": None,
                "position": ("below", "not_distinguishable", "above")[i % 3],
            }
        )  # fmt: skip
    return found


def units(found):
    fields = {"period": "2026-Q3", "target": 0.9, "respondents": 500, "rows": found}
    return result(Units, fields)


def answer(count=9):
    return units(rows(count))


def layers(words, view):
    """The layers of a trend: runs, lines, intervals, the line of rates, marks."""
    spec = trend_chart.trend(words, view).spec
    found = spec["datasets"]
    return [{**layer, "values": found[layer["data"]["name"]]} for layer in spec["layer"]]
