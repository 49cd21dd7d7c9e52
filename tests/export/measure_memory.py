"""Measures what a file for SPSS or Stata takes in memory: `python -m tests.export.measure_memory`.

Each size in a process of its own: the most that it held, less what it held before it read.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa

from app.export.columns import columns_of
from app.export.formats import Format
from app.export.labelled import reckoned_bytes, write_labelled
from app.registry.questionnaires import Published
from surveys import load_directory

_AT_ONCE = 5000


def _batch(schema: pa.Schema, rows: int) -> pa.RecordBatch:
    rng = np.random.default_rng(1)
    arrays = []
    for each in schema:
        if pa.types.is_string(each.type):
            values: object = [f"{n:020x}" for n in rng.integers(0, 2**60, rows)]
            if each.name == "comment":
                values = [f"Cảm ơn cán bộ {n}" * 8 if n % 5 == 0 else None for n in range(rows)]
        elif pa.types.is_date(each.type):
            values = [date(2026, 1, 1)] * rows
        else:
            values = rng.integers(0, 5, rows)
        arrays.append(pa.array(values).cast(each.type))
    return pa.record_batch(arrays, schema=schema)


def _held() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def one(form: Format, rows: int) -> None:
    """Write a file of so many rows, and print what it took."""
    import pandas  # noqa: F401 - what is loaded once is not the file's
    import pyreadstat  # noqa: F401

    forms = [form for form in load_directory().values() if form.code == "moh-inpatient"]
    schema = columns_of([Published(1, forms[-1], None)], with_texts=True).schema  # type: ignore[arg-type]
    with tempfile.TemporaryDirectory() as folder:
        before = _held()
        batches = (_batch(schema, _AT_ONCE) for _ in range(rows // _AT_ONCE))
        write_labelled(form, Path(folder) / "x", schema, batches, "vi", "x")
        took = _held() - before
    reckoned = reckoned_bytes(rows, len(schema))
    print(
        f"{form.value}: {rows} rows, {len(schema)} columns: {took / 2**20:.0f} MB, "
        f"{took / rows / len(schema):.0f} bytes a cell; reckoned {reckoned / 2**20:.0f} MB"
    )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        one(Format(sys.argv[1]), int(sys.argv[2]))
    else:
        for form in (Format.SPSS, Format.STATA):
            for rows in (25_000, 100_000):
                subprocess.run([sys.executable, "-m", __spec__.name, form, str(rows)], check=True)
