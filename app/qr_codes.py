"""QR codes by Segno, to be printed: error correction of level M at least, and the quiet zone.

Level M lets 15 % of a code be dirty or scratched; ISO/IEC 18004 asks for four modules of quiet
zone around it.
"""

from __future__ import annotations

import io

import segno

QUIET_ZONE = 4


def png(address: str, *, scale: int = 12) -> bytes:
    """A code as PNG; ``scale`` is the pixels of a module."""
    buffer = io.BytesIO()
    _code(address).save(buffer, kind="png", scale=scale, border=QUIET_ZONE)
    return buffer.getvalue()


def svg(address: str) -> str:
    """A code as SVG, ten units a module."""
    buffer = io.BytesIO()
    _code(address).save(
        buffer, kind="svg", scale=10, border=QUIET_ZONE, xmldecl=True, light="white", title=address
    )
    return buffer.getvalue().decode()


def _code(address: str) -> segno.QRCode:
    return segno.make(address, error="m", micro=False, boost_error=True)
