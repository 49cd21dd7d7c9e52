"""Draws specifications on the server, and makes the script that draws them in a browser.

All by vl-convert, in the drawing process; nothing comes from a CDN. What was drawn is kept by its
content.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from threading import Lock

import altair
from cachetools import LRUCache
from pydantic import JsonValue

from app.drawing import process
from app.messages import Language
from app.messages.words import Words
from app.reports.charts.chart import Chart, Spec

#: The version of Vega-Lite that the installed Altair writes for, as vl-convert names it.
VEGA_LITE = ".".join(altair.SCHEMA_VERSION.lstrip("v").split(".")[:2])
#: How numbers are written in charts, as d3-format's locales say it.
LOCALES: dict[str, dict[str, JsonValue]] = {
    "vi": {"decimal": ",", "thousands": ".", "grouping": [3], "currency": ["", "\u00a0₫"]},
    "en": {"decimal": ".", "thousands": ",", "grouping": [3], "currency": ["", "\u00a0₫"]},
}
#: What marks say to a screen reader; on a page their place says it, and they would weigh twice.
_SAID = re.compile(r' (?:role|aria-[a-z]+)="[^"]*"')
_ID = re.compile(r'(["#(])(gradient|clip)(\d+)')

#: Bytes of pictures that are kept: some hundred charts.
MOST_KEPT = 8 * 1024 * 1024
_drawn: LRUCache[str, bytes] = LRUCache(MOST_KEPT, getsizeof=len)
_lock = Lock()


@dataclass(frozen=True)
class Drawn:
    """A chart with its pictures for a desk and a phone; without, where they would be too long."""

    chart: Chart
    svg: str | None
    narrow: str | None

    @classmethod
    def of(cls, chart: Chart, words: Words) -> Drawn:
        """Draw a chart in a language, for a page."""
        desk, phone = svg(chart.spec, words.language), svg(chart.narrow, words.language)
        return cls(chart, _SAID.sub("", desk), _SAID.sub("", phone))


def svg(spec: Spec, language: Language) -> str:
    """A specification as SVG; its ids are its own, so that several stand on one page."""
    return _kept(spec, language, "svg").decode()


def png(spec: Spec, language: Language) -> bytes:
    """A specification as PNG, at twice the size in pixels."""
    return _kept(spec, language, "png")


def make_ready() -> None:
    """Begin the drawing process, so that the first reader need not wait for it."""
    svg({"data": {"values": []}, "mark": "point"}, "vi")
    script()


def _kept(spec: Spec, language: Language, kind: str) -> bytes:
    text = json.dumps(spec, sort_keys=True, ensure_ascii=False, default=str)
    key = hashlib.sha256(f"{kind}\0{language}\0{text}".encode()).hexdigest()
    with _lock:
        if key in _drawn:
            return _drawn[key]
    locale = LOCALES[language]
    if kind == "svg":
        drawn = process.svg(text, VEGA_LITE, locale)
        content = _ID.sub(rf"\g<1>\g<2>-{key[:8]}-\g<3>", drawn).encode()
    else:
        content = process.png(text, VEGA_LITE, locale)
    if len(content) <= MOST_KEPT:
        with _lock:
            _drawn[key] = content
    return content


@cache
def script() -> bytes:
    """The bundle of Vega, Vega-Lite and Vega-Embed for browsers; making it takes seconds, once."""
    return process.script(VEGA_LITE)


@cache
def script_name() -> str:
    """What the bundle is called in an address: it changes when another one would be made."""
    made_of = f"{version('vl-convert-python')} {VEGA_LITE}"
    return hashlib.sha256(made_of.encode()).hexdigest()[:16]
