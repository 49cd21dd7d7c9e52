"""The drawing process itself: ``python -m app.drawing.worker DESCRIPTOR``.

It imports what draws and nothing of the service, so that it starts in a moment and holds little.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.drawing import frames


def _svg(spec: str, vl_version: str, locale: dict[str, Any]) -> bytes:
    import vl_convert

    drawn: str = vl_convert.vegalite_to_svg(spec, vl_version=vl_version, format_locale=locale)
    return drawn.encode()


def _png(spec: str, vl_version: str, locale: dict[str, Any]) -> bytes:
    import vl_convert

    drawn: bytes = vl_convert.vegalite_to_png(
        spec, vl_version=vl_version, scale=2, format_locale=locale
    )
    return drawn


def _script(vl_version: str) -> bytes:
    import vl_convert

    bundle: str = vl_convert.javascript_bundle(vl_version=vl_version)  # type: ignore[call-arg]
    return bundle.encode()


def _pdf(template: str, content: str, standards: list[Any]) -> bytes:
    import typst

    drawn = typst.compile(Path(template), sys_inputs={"content": content}, pdf_standards=standards)
    assert isinstance(drawn, bytes)
    return drawn


_KINDS: dict[str, Callable[..., bytes]] = {
    "svg": _svg, "png": _png, "script": _script, "pdf": _pdf
}  # fmt: skip


def _held_kb() -> int:
    """What this process holds in memory, in KB; 0 where the machine does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024


def main(descriptor: int) -> None:
    """Draw what is asked for, until nobody asks any more."""
    # Ctrl-C at a terminal reaches all processes there: the server ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with socket.socket(fileno=descriptor) as end:
        while (job := frames.next_job(end)) is not None:
            try:
                drawn, content = True, _KINDS[str(job.pop("kind"))](**job)
            except Exception as error:  # noqa: BLE001 - it belongs to whoever asked
                drawn, content = False, f"{type(error).__name__}: {error}".encode()
            try:
                frames.send_answer(end, drawn=drawn, content=content, held_kb=_held_kb())
            except OSError:
                return


if __name__ == "__main__":
    main(int(sys.argv[1]))
