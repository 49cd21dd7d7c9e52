"""Measures all promises in full, or those named, and writes their tables into their pages.

With ``--only WORDS`` the rows of those worlds alone are printed, and no table is written: a table
is of one code as a whole.
"""

from __future__ import annotations

import argparse
import time

from tests.promises import PROMISES
from tests.promises.table import written

parser = argparse.ArgumentParser(prog="python -m tests.promises", description=__doc__)
parser.add_argument("names", nargs="*", choices=[*PROMISES, []], default=[])
parser.add_argument("--only", help="a part of the names of worlds, of promises that can")
asked = parser.parse_args()

for name in asked.names or PROMISES:
    promise, began = PROMISES[name], time.monotonic()
    if asked.only:
        if promise.part is None:
            parser.error(f"{name} is measured as a whole alone")
        for row in promise.part(asked.only):
            print(" | ".join((row.promise, row.world, row.promised, row.found, str(row.held))))
        continue
    rows = promise.measure(True)
    promise.page.write_text(written(promise.page.read_text("utf-8"), promise, rows), "utf-8")
    kept = sum(row.held for row in rows)
    print(f"{name}: {kept} of {len(rows)} held, {time.monotonic() - began:.0f} s", flush=True)
