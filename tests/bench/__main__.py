"""Runs all benchmarks, or those named: intake, comments, forms, reading, statistics, ranking,
citizen, signing_in, reform, examination, dashboard, export."""

from __future__ import annotations

import sys

from rich.console import Console

from tests.bench import (
    citizen,
    comments,
    dashboard,
    examination,
    export,
    forms,
    intake,
    memory,
    ranking,
    reading,
    reform,
    signing_in,
    statistics,
)

BENCHES = {
    "intake": intake.main,
    "comments": comments.main,
    "forms": forms.main,
    "reading": reading.main,
    "statistics": statistics.main,
    "ranking": ranking.main,
    "citizen": citizen.main,
    "signing_in": signing_in.main,
    "reform": reform.main,
    "examination": examination.main,
    "dashboard": dashboard.main,
    "export": export.main,
}

#: Run by its name alone: it takes an hour.
LONG = {"memory": memory.main}

for name in sys.argv[1:] or BENCHES:
    (BENCHES | LONG)[name](Console(highlight=False, soft_wrap=True))
