"""``python -m tests.soak``: soaks on both stores, one after the other; exit 1 if anything broke.

HAILONG_SOAK_MINUTES (10, for both together), HAILONG_SOAK_SEED (drawn, and printed),
HAILONG_SOAK_STORES (``sqlite,postgresql``), HAILONG_SOAK_ONLY (names of troubles, commas between).
"""

from __future__ import annotations

import os
import random
import shutil
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.databases import BACKENDS
from tests.soak import troubles
from tests.soak.run import Outcome, soak


def main() -> int:
    """Soak, and tell."""
    console = Console(highlight=False, soft_wrap=True)
    for name in ("PUBLIC", "PAGELESS", "PAGE", "POINT", "DEVICE", "KEY"):
        os.environ.setdefault(f"HAILONG_{name}_RATE", "1000000 per 1 minute")
    minutes = float(os.environ.get("HAILONG_SOAK_MINUTES", "10"))
    seed = int(os.environ.get("HAILONG_SOAK_SEED") or random.SystemRandom().randrange(100_000))
    stores = os.environ.get("HAILONG_SOAK_STORES", ",".join(BACKENDS)).split(",")
    named = os.environ.get("HAILONG_SOAK_ONLY")
    only = frozenset(named.split(",")) if named else None
    for absent in {t.needs for t in troubles.TROUBLES if not t.can_be_made}:
        console.print(f"left out, for there is no {absent}: what needs it")
    broken = 0
    for store in stores:
        folder = Path(tempfile.mkdtemp(prefix="hailong-soak-"))
        console.print(f"\n[bold]{store}, seed {seed}, {minutes / len(stores):g} minutes[/]")
        outcome = soak(store, seed, minutes * 60 / len(stores), folder, console.print, only)
        _tell(console, outcome)
        broken += len(outcome.broken)
        if outcome.broken:
            console.print(f"What the servers wrote: {folder / 'server.log'}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return 1 if broken else 0


def _tell(console: Console, outcome: Outcome) -> None:
    promised = {each.name: each.recovers_in_s for each in troubles.TROUBLES}
    table = Table("trouble", "times", "median s", "worst s", "at most")
    for name, taken in sorted(outcome.recoveries.items()):
        middle = sorted(taken)[len(taken) // 2]
        table.add_row(
            name, str(len(taken)), f"{middle:.2f}", f"{max(taken):.2f}", f"{promised[name]:g}"
        )
    console.print(table)
    told = ", ".join(f"{what} × {n}" for what, n in sorted(outcome.answers.items()))
    console.print(f"what clients were told: {told}")
    console.print(
        f"{outcome.sent} sent, {outcome.acknowledged} acknowledged; "
        f"at most {outcome.most_memory_mb:.0f} MB"
    )
    if outcome.broken:
        for sentence in outcome.broken:
            console.print(f"[bold red]broken:[/] {sentence}")
    else:
        console.print("acknowledged are stored, once; cells equal a recount; the audit log holds")


if __name__ == "__main__":
    sys.exit(main())
