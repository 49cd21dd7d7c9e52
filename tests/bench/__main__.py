"""Runs all benchmarks, or those named: intake, reading, statistics, ranking, citizen,
signing_in."""

from __future__ import annotations

import sys

from rich.console import Console

from tests.bench import citizen, intake, ranking, reading, signing_in, statistics

BENCHES = {
    "intake": intake.main,
    "reading": reading.main,
    "statistics": statistics.main,
    "ranking": ranking.main,
    "citizen": citizen.main,
    "signing_in": signing_in.main,
}

for name in sys.argv[1:] or BENCHES:
    BENCHES[name](Console(highlight=False, soft_wrap=True))
