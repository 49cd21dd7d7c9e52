"""The running service: whether it is there, and what it says of itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import httpx

from app.background import TaskNotRunning
from app.clock import last_noted
from app.db import Database
from app.db.damage import DatabaseDamaged
from app.doctor.findings import Finding, look, unknown, well, wrong
from app.doctor.store import put_back
from app.serving.problems import Overloaded
from app.settings import Settings

_PATIENCE_S = 8
#: Waits for its turn as all figures do, and costs nothing: who has no key is sent away.
_FIGURES = "/api/v1/satisfaction"


def runs(settings: Settings) -> Iterator[Finding]:
    """Whether the service answers on this machine, is ready, and has time for figures."""
    here = _here(settings)
    try:
        answer = _asked(f"{here}/readyz")
        if answer.status_code != 200:
            yield _not_ready(here, answer, settings)
            return
        yield well("service", f"{here} is ready")
        yield from _has_time(here, settings)
    except httpx.ConnectError as error:
        yield wrong(
            "service", f"{here} does not answer: {error}",
            "Start it (systemctl start hailong), and read its log (journalctl -u hailong).",
        )  # fmt: skip
        return
    except httpx.HTTPError as error:
        yield wrong(
            "service", f"{here} takes connections and does not answer: {error}",
            "It hangs, or has more to do than it can: read its log (journalctl -u hailong), and "
            "start it again (systemctl restart hailong). What was acknowledged is kept.",
        )  # fmt: skip
        return


def _has_time(here: str, settings: Settings) -> Iterator[Finding]:
    answer = _asked(f"{here}{_FIGURES}", settings.figures_wait_s)
    if answer.status_code == 503:
        yield look(
            "service", f"{here} refuses figures: {_told(answer)}",
            "Answers are taken all the same. Set HAILONG_ACCESS_LOG to see what is asked for; more "
            "processors, and with them HAILONG_FIGURES_AT_ONCE, serve more readers.",
        )  # fmt: skip


def _here(settings: Settings) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"


def _asked(address: str, waits_s: float = 0) -> httpx.Response:
    return httpx.get(address, headers={"Accept-Language": "en"}, timeout=waits_s + _PATIENCE_S)


def _not_ready(here: str, answer: httpx.Response, settings: Settings) -> Finding:
    return wrong(
        "service", f"{here} is not ready: {_told(answer)}", _remedy(_code(answer), settings)
    )  # fmt: skip


def _remedy(code: str, settings: Settings) -> str:
    if code == TaskNotRunning.code:
        return (
            "Read in its log what the task fails by (journalctl -u hailong | grep 'task '), and "
            "mend that: it is begun again by itself."
        )
    if code == DatabaseDamaged.code:
        return put_back(settings)
    if code == Overloaded.code:
        return (
            "All its connections are being answered: see who asks for so much "
            "(HAILONG_ACCESS_LOG), or raise HAILONG_CONNECTION_LIMIT and its limit of open files."
        )
    return "Mend what it says; devices keep their answers meanwhile."


def _code(answer: httpx.Response) -> str:
    return str(_problem(answer).get("type", "")).rpartition("/")[2]


def _told(answer: httpx.Response) -> str:
    if _code(answer) == Overloaded.code:  # said before it was read in which language
        return Overloaded().detail("en")
    return str(_problem(answer).get("detail", f"HTTP {answer.status_code}"))


def _problem(answer: httpx.Response) -> dict[str, object]:
    try:
        found = answer.json()
    except ValueError:  # a proxy's page, say
        return {}
    return found if isinstance(found, dict) else {}


def clock(settings: Settings) -> Iterator[Finding]:
    """Whether this machine's clock goes on from where a server was last sure of the time."""
    with closing(Database(settings.database_url)) as database, database.reading() as session:
        last = last_noted(session)
    now = datetime.now(UTC)
    if last is None:
        yield unknown("clock", "no server was sure of the time yet")
    elif last - now > timedelta(seconds=settings.clock_tolerance_s):
        yield wrong(
            "clock", f"it shows {now:%Y-%m-%d %H:%M} UTC, and was at {last:%Y-%m-%d %H:%M} already",
            "Set it right (timedatectl set-ntp true); if it is right: hailong clock confirm",
        )  # fmt: skip
    elif now - last > timedelta(days=settings.clock_gap_days):
        yield look(
            "clock", f"no server ran since {last:%Y-%m-%d}: the next one will doubt its clock",
            "If it shows the right time: hailong clock confirm",
        )  # fmt: skip
    else:
        yield well("clock", f"goes on from {last:%Y-%m-%d %H:%M} UTC")
