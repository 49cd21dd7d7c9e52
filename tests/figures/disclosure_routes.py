"""Every route that tells somebody figures, and how an attacker asks it.

A GET route of the application stands here with what is asked of it, or with why it tells no count
of people. One that does not makes ``test_every_route_is_attacked_or_tells_of_nobody`` fail.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np

from tests.figures.disclosure_world import FORM, MONTHS, PERIODS, UNITS, World

Parameters = dict[str, Any]
SATISFACTION = "/api/v1/satisfaction"
CODES = (*UNITS, "77")
NAMED = [name for name in PERIODS if name is not None]


@dataclass(frozen=True)
class Silent:
    """Why a route tells no count of people, nor anything that is computed from answers."""

    because: str


@dataclass(frozen=True)
class Attack:
    """How a route is asked: its address, and the parameters of which some are drawn."""

    path: str
    #: Sets of parameters that are always asked, each with drawn ones.
    always: Sequence[Parameters] = ({},)
    #: What is drawn: one of ``DRAWN``.
    drawn: str = ""
    #: Who asks: a key with figures:read, a visitor's session with it, or nobody.
    who: str = "key"
    times: int = 2
    stream: bool = False

    def questions(self, rng: np.random.Generator) -> Iterator[tuple[str, Parameters]]:
        """Addresses with parameters."""
        for fixed in self.always:
            for _ in range(self.times if self.drawn else 1):
                parameters = {"questionnaire": FORM} | DRAWN[self.drawn](rng) | fixed
                unit = parameters.pop("of", "77")
                yield self.path.format(unit=unit), parameters


def _statistic(rng: np.random.Generator) -> Parameters:
    """Units, days and channels of a statistic over units."""
    first, last, _ = PERIODS[NAMED[rng.integers(len(NAMED))]]
    asked: Parameters = {"from": first, "to": last} if rng.random() < 0.7 else {}
    size = int(rng.integers(0, len(CODES)))
    if size:
        asked["unit"] = sorted(str(code) for code in rng.choice(CODES, size, replace=False))
    if rng.random() < 0.25:
        asked["channel"] = "qr"
    if rng.random() < 0.3:
        asked["descendants"] = False
    elif rng.random() < 0.5:
        asked["expand"] = str(rng.choice(["children", "all"]))
    return asked


def _view(rng: np.random.Generator) -> Parameters:
    asked: Parameters = {"period": NAMED[rng.integers(len(NAMED))], "unit": str(rng.choice(CODES))}
    if asked["unit"] in ("77", "D1") and rng.random() < 0.7:
        asked["kind"] = "commune"
    return asked


def _pooled(rng: np.random.Generator) -> Parameters:
    """The same of a statistic about all respondents together, of whom there is one unit at most."""
    asked = _statistic(rng)
    for name in ("expand", "descendants"):
        asked.pop(name, None)
    if "unit" in asked:
        asked["unit"] = str(rng.choice(CODES))
    return asked


def _public(rng: np.random.Generator) -> Parameters:
    return {"of": str(rng.choice(CODES)), "period": str(rng.choice(["2025-Q4", "2026-Q1"]))}


DRAWN = {
    "": lambda rng: {},
    "statistic": _statistic,
    "pooled": _pooled,
    "view": _view,
    "public": _public,
}

#: Parameters that a statistic needs, or that make it tell more.
STATISTICS: dict[str, tuple[Parameters, ...]] = {
    "ranking": ({}, {"best": 1}),
    "funnel": ({}, {"target": 0.8}),
    "compare": ({"with": "previous"}, {"with": "year-before"}),
    "trend": ({}, {"step": "quarter"}, {"standardised": "channel"}),
    "alerts": ({},),
    "drivers": ({"outcome": "trips"},),
    "reliability": ({},),
    "casemix": ({"adjust": "trips"}, {"adjust": "channel"}),
    "weighted": ({"margin": "trips:1=5,2=5,3=5"},),
    "stratified": ({},),
    "non-response": ({},),
    "planning": tuple({"month": month} for month in MONTHS),
}
#: Over all respondents together.
POOLED = ("drivers", "reliability", "weighted")
VIEWS = ("overview", "units", "unit", "comparison", "sections", "items", "quality", "levels")
PAGES = ("overview", "units", "unit", "comparison", "sections", "items", "quality")
CHARTS = ("unit/factors.csv", "unit/items.csv", "quality/no_opinion.csv", "unit/trend.csv")

ROUTES: dict[str, Attack | Silent] = {
    "GET /api/v1/satisfaction": Attack(
        SATISFACTION,
        ({"by": ["unit"]}, {"by": ["unit", "item"]}, {"by": ["unit", "channel"]},
         {"by": "month", "unit": "D1", "expand": "given"},
         {"by": ["unit", "factor", "quarter"]}, {"by": "unit", "cluster": "day"},
         {"by": "unit", "sensitivity": "with"}),
        "statistic",
    ),
    **{
        f"GET {SATISFACTION}/{name}": Attack(
            f"{SATISFACTION}/{name}", always, "pooled" if name in POOLED else "statistic"
        )
        for name, always in STATISTICS.items()
    },
    **{
        f"GET /api/v1/views/{name}": Attack(f"/api/v1/views/{name}", ({},), "view", times=3)
        for name in VIEWS
    },
    "GET /api/v1/response-rates": Attack(
        "/api/v1/response-rates", ({"from": "2025-11-01", "to": "2026-02-28"},)
    ),
    "GET /api/v1/feed.csv": Attack(
        "/api/v1/feed.csv", tuple({"step": step} for step in ("month", "quarter", "year"))
    ),
    "GET /api/v1/stream": Attack(
        "/api/v1/stream", tuple({"unit": unit} for unit in ("77", "C1")), stream=True
    ),
    "GET /api/v1/reports": Attack(
        "/api/v1/reports", ({"format": "xlsx", "period": "2026-Q1", "unit": "D1"},)
    ),
    "GET /dashboard": Attack("/dashboard", who="visitor"),
    "GET /dashboard/{name}": Attack(
        "/dashboard/{unit}", tuple({"of": name} for name in PAGES), "view", "visitor", times=1
    ),
    "GET /dashboard/report": Attack(
        "/dashboard/report", ({"period": "2026-Q1", "unit": "D1"},), who="visitor"
    ),
    "GET /dashboard/charts/{name}/{figure}.{file_format}": Attack(
        "/dashboard/charts/{unit}", tuple({"of": chart} for chart in CHARTS), "view", "visitor",
        times=1,
    ),
    "GET /wall/{unit}": Attack("/wall/{unit}", drawn="public", who="nobody"),
    "GET /wall/{unit}/stream": Attack(
        "/wall/{unit}/stream", drawn="public", who="nobody", stream=True
    ),
    "GET /public": Attack("/public", drawn="public", who="nobody"),
    "GET /public/data.csv": Attack("/public/data.csv", who="nobody"),
    "GET /public/{unit}/badge.svg": Attack(
        "/public/{unit}/badge.svg", drawn="public", who="nobody"
    ),
    "GET /public/{unit}/card": Attack("/public/{unit}/card", drawn="public", who="nobody"),
    **{
        f"GET {path}": Silent(because)
        for because, paths in {
            "documentation, health, scripts: nothing of answers": (
                "/docs", "/healthz", "/connection", "/readyz", "/problems/{code}",
                "/charts/{name}.js",
                "/public/dictionary.csv", "/language/{language}", "/",
            ),
            "what is asked, and where: units, points, forms, their codes and posters": (
                "/api/v1/units", "/api/v1/units/{code}/history", "/api/v1/points",
                "/api/v1/questionnaires", "/api/v1/posters",
                "/api/v1/posters/{code}.png", "/api/v1/posters/{code}.svg", "/posters",
                "/q/{token}", "/q/{token}/thanks", "/i/{token}", "/i/{token}/thanks", "/kiosk",
                "/kiosk/worker.js", "/kiosk/manifest", "/api/v1/kiosk", "/screen",
                "/questionnaires", "/questionnaires/{code}/versions/{version}",
                "/questionnaires/{code}/versions/{version}/file",
                "/questionnaires/{code}/versions/{version}/preview",
                "/questionnaires/drafts/{id}", "/questionnaires/drafts/{id}/form.yaml",
                "/questionnaires/drafts/{id}/preview", "/questionnaires/drafts/{id}/edit",
            ),
            "what offices decided or did": (
                "/api/v1/satisfaction/baselines", "/api/v1/satisfaction/action-notes", "/limits",
                "/action-notes",
            ),
            "accounts, keys, devices, the audit log: by rights of their own": (
                "/sign-in", "/sign-in/confirm", "/sign-in/openid", "/sign-in/openid/callback",
                "/password/{token}", "/profile", "/accounts", "/accounts/new", "/accounts/{id}",
                "/keys", "/keys/new", "/devices", "/audit",
            ),
            "what could not be delivered: no answers, of numbers three digits": ("/dead-letters",),
            "suspected batches: by a right of their own (tests/integrity/test_reviewing.py)": (
                "/api/v1/batches", "/api/v1/batches/{id}", "/integrity", "/integrity/{id}",
            ),
            "citizens' cases: by a right of their own, and attacked in two worlds in "
            "tests/cases/test_case_disclosure.py; a code opens its own case alone": (
                "/api/v1/cases", "/api/v1/cases/figures", "/api/v1/cases/{id}", "/cases",
                "/cases/{id}", "/case-lists", "/c",
            ),
            "single responses: by a right of their own (responses:read), refused to all others in "
            "tests/export/test_routes.py": (
                "/api/v1/exports", "/api/v1/exports/page", "/exports",
            ),
            "anonymised responses: by a right of their own, and attacked with all figures in "
            "test_anonymous_disclosure.py and test_disclosure.py": ("/api/v1/exports/anonymous",),
            "what columns of imported files mean: titles, no answers": ("/response-imports",),
            "plans carried out: units, no answers; their figures are told whom all is": (
                "/reorganisations",
            ),
            "words of citizens: by a right of their own (comments:read), and attacked in "
            "tests/figures/test_comment_disclosure.py": (
                "/api/v1/comments", "/api/v1/comments/themes", "/dashboard/comments",
                "/api/v1/aside",
            ),
            "words by which themes are found: nothing of answers": (
                "/themes", "/themes/list.yaml", "/themes/edit",
            ),
        }.items()
        for path in paths
    },
}  # fmt: skip


#: What shows by itself that hidden people changed, to whoever may see them.
OPEN = ("GET /api/v1/satisfaction", "GET /api/v1/feed.csv", "GET /api/v1/satisfaction/trend")


def asked(
    client: httpx.Client,
    world: World,
    seed: int,
    *,
    key: dict[str, str] | None = None,
    routes: Sequence[str] = tuple(ROUTES),
) -> dict[str, tuple[int, bytes]]:
    """What routes answer to questions of a seed: status and content, by question.

    ``key`` are the headers of who asks the interface, if not a stranger.
    """
    found = {}
    rng = np.random.default_rng(seed)
    callers = {"key": key or world.stranger, "visitor": world.visitor, "nobody": {}}
    for name in routes:
        attack = ROUTES[name]
        if isinstance(attack, Silent):
            continue
        for path, parameters in attack.questions(rng):
            question = str(httpx.URL(path, params=parameters))
            if attack.stream:
                found[question] = _first_event(client, path, parameters, callers[attack.who])
            else:
                found[question] = content_of(
                    client.get(
                        path, params=parameters, headers=callers[attack.who], follow_redirects=True
                    )
                )
    return found


#: A number with more digits than sums in another order agree in.
_LONG = re.compile(rb"-?\d+\.\d{10,}(e-?\d+)?")


def content_of(answer: httpx.Response) -> tuple[int, bytes]:
    """What an answer says; of a workbook its sheets, without the moment at which it was written."""
    content = answer.content
    if content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            sheets = sorted(n for n in book.namelist() if "sheet" in n or "Strings" in n)
            content = b"".join(book.read(name) for name in sheets)
    return answer.status_code, _LONG.sub(lambda found: b"%.9g" % float(found[0]), content)


def _first_event(
    client: httpx.Client, path: str, parameters: Parameters, headers: dict[str, str]
) -> tuple[int, bytes]:
    with client.stream("GET", path, params=parameters, headers=headers) as answer:
        lines = answer.iter_lines() if answer.status_code == 200 else iter(())
        told = next((line for line in lines if line.startswith("data: ")), "")
        return content_of(httpx.Response(answer.status_code, text=told))
