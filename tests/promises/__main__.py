"""Measures all promises in full, or those named, and writes their tables into their pages."""

from __future__ import annotations

import sys
import time

from tests.promises import PROMISES
from tests.promises.table import written

for name in sys.argv[1:] or PROMISES:
    promise, began = PROMISES[name], time.monotonic()
    rows = promise.measure(True)
    promise.page.write_text(written(promise.page.read_text("utf-8"), promise, rows), "utf-8")
    kept = sum(row.held for row in rows)
    print(f"{name}: {kept} of {len(rows)} held, {time.monotonic() - began:.0f} s", flush=True)
