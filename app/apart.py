"""Commands of the program that a server has run by a process of its own.

What takes minutes or much memory runs apart, where it is nice to others and can be ended.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.background import beat

_ROOT = Path(__file__).parents[1]
_END_S, _BEAT_S = 3, 20


@dataclass(frozen=True)
class Ended:
    """How a command ended, and all that it said in one line."""

    well: bool
    said: str


async def run_apart(module: Sequence[str], settings: Mapping[str, object]) -> Ended:
    """Run a module with its arguments to its end; end it where this task is ended.

    Parameters
    ----------
    module
        Its name, ``app.cli`` for ``hailong``, and what follows on the command line.
    settings
        Those that the command asks for, by the names of ``Settings``; a value of None is not
        handed on.
    """
    given = {f"HAILONG_{name.upper()}": str(of) for name, of in settings.items() if of is not None}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *module,
        env=os.environ | given | {"PYTHONPATH": str(_ROOT)},
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    told = asyncio.create_task(process.communicate())
    try:
        while not told.done():
            await asyncio.wait([told], timeout=_BEAT_S)
            beat()
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), _END_S)
            except TimeoutError:
                process.kill()
    said = " ".join(told.result()[0].decode(errors="replace").split())
    return Ended(process.returncode == 0, said)
