"""What is kept is measured by its bytes, and what was freed goes back to the machine."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest
from pydantic import BaseModel

from app.memory import size_of
from tests.server import ROOT

MB = 1 << 20


@dataclass(frozen=True)
class Pair:
    """Two values."""

    one: object
    other: object


class Model(BaseModel):
    """A typed result."""

    rows: list[str]
    about: dict[str, str]


def text(sign: str) -> str:
    return sign * MB


@pytest.mark.parametrize(
    ("value", "megabytes"),
    [
        (text("a"), 1),
        ([text("a"), text("b")], 2),
        ({"one": text("a"), "two": (text("b"), text("c"))}, 3),
        (Pair(text("a"), {text("b")}), 2),
        (Model(rows=[text("a"), text("b")], about={"c": text("c")}), 3),
        (np.zeros(MB, dtype=np.int64), 8),
        ([shared := text("a"), shared, Pair(shared, shared)], 1),
    ],
)
def test_a_value_is_as_large_as_all_that_it_holds(value: object, megabytes: int) -> None:
    assert megabytes * MB <= size_of(value) < (megabytes + 0.1) * MB


def test_what_holds_itself_has_a_size() -> None:
    ring: list[object] = [text("a")]
    ring.append(ring)
    assert MB <= size_of(ring) < 1.1 * MB


def _left(how: str) -> float:
    """MB that a process holds more after figures were computed and freed."""
    program = """
import sys
import numpy as np, psutil
from app.memory import bound_allocator
if sys.argv[1] == "bounded":
    assert bound_allocator()
np.ones(3_900_000)  # 31 MB, freed at once: glibc then maps nothing smaller any more
before, kept = psutil.Process().memory_info().rss, []
for _ in range(4):
    arrays = [np.ones(500_000) for _ in range(10)]  # 4 MB each
    kept.append(np.ones(2_000))  # 16 KB behind them
    del arrays
    kept.append(np.ones(2_000))
print((psutil.Process().memory_info().rss - before) / 2**20)
"""
    ended = subprocess.run(
        [sys.executable, "-c", program, how], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return float(ended.stdout)


def test_what_was_freed_goes_back_to_the_machine() -> None:
    assert _left("bounded") < 10
    assert _left("as it is") > 30, "this machine gives it back anyway, and the test shows nothing"


def test_linear_algebra_has_no_threads_of_its_own() -> None:
    environment = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
    program = "import app, numpy, psutil; print(psutil.Process().num_threads())"
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert int(ended.stdout) == 1


def test_a_server_that_exports_nothing_goes_without_arrow() -> None:
    """It takes 40 MB (``app.export.arrow``)."""
    code = "import sys, app.main; sys.exit('pyarrow' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
