"""Measures all promises in full, or those named, and writes the tables into docs/methods.md."""

from __future__ import annotations

import sys
import time

from tests.promises import PROMISES
from tests.promises.table import PAGE, written

for name in sys.argv[1:] or PROMISES:
    promise, began = PROMISES[name], time.monotonic()
    rows = promise.measure(True)
    PAGE.write_text(written(PAGE.read_text("utf-8"), promise, rows), "utf-8")
    kept = sum(row.held for row in rows)
    print(f"{name}: {kept} of {len(rows)} held, {time.monotonic() - began:.0f} s", flush=True)
