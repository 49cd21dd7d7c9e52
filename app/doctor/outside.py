"""The service as people reach it: the public address, its certificate, the proxy before it."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx
from sqlalchemy import select

from app.db import Database
from app.doctor.findings import Finding, look, unknown, well, wrong
from app.registry.models import Channel, PointState, SurveyPoint
from app.registry.points import current_code
from app.settings import Settings
from app.web.routes import Connection

_PATIENCE_S = 8
_SOON = timedelta(days=14)
#: An address of nobody (RFC 5737), which a client may claim to be.
CLAIMED = "192.0.2.77"
#: How far clocks may be apart before people notice: cookies, sign-in, times of answers.
_CLOCKS = timedelta(seconds=60)


def public_address(settings: Settings) -> Iterator[Finding]:
    """Whether the address that is printed on posters leads to this service."""
    if not settings.public_url:
        yield look(
            "public address", "HAILONG_PUBLIC_URL is not set",
            "Set it before anything is printed: it is what QR codes lead to.",
        )  # fmt: skip
        return
    try:
        answer = _get(settings, "/connection")
    except httpx.HTTPError as error:
        yield wrong(
            "public address", f"{settings.public_url} does not answer: {error}",
            "Look at the name (DNS), the proxy, the firewall and the certificate.",
        )  # fmt: skip
        return
    if answer.status_code != 200 or "scheme" not in answer.text:
        yield wrong(
            "public address",
            f"{settings.public_url} answers {answer.status_code}, and not as this service",
            "Let the proxy lead the whole name to the service, and look whether it runs.",
        )
        return
    yield well("public address", f"{settings.public_url} leads to a service of ours")
    yield from _clock(answer)


def _clock(answer: httpx.Response) -> Iterator[Finding]:
    """The proxy's clock is another clock, where it runs on another machine."""
    try:
        theirs = parsedate_to_datetime(answer.headers["date"])
    except (KeyError, ValueError):
        return
    apart = abs(datetime.now(UTC) - theirs)
    if apart > _CLOCKS:
        seconds = round(apart.total_seconds())
        yield wrong(
            "clock", f"the proxy's clock and this machine's are {seconds} s apart",
            "Let both follow NTP (timedatectl set-ntp true).",
        )  # fmt: skip


def printed_codes(settings: Settings) -> Iterator[Finding]:
    """Whether what the newest posters say opens a form."""
    if not settings.public_url:
        return
    with closing(Database(settings.database_url)) as database, database.reading() as session:
        points = session.scalars(
            select(SurveyPoint)
            .where(SurveyPoint.state == PointState.ACTIVE, SurveyPoint.channel == Channel.QR)
            .order_by(SurveyPoint.id.desc())
            .limit(3)
        )
        codes = [current_code(point) for point in points]
    if not codes:
        yield unknown("printed codes", "no survey point with a QR code takes answers yet")
    for code in codes:
        try:
            status = _get(settings, f"/q/{code}").status_code
        except httpx.HTTPError as error:
            yield wrong(
                "printed codes", f"{settings.public_url}/q/{code} does not answer: {error}",
                "Mend the public address; posters that hang there lead nowhere.",
            )  # fmt: skip
            return
        if status != 200:
            yield wrong(
                "printed codes", f"{settings.public_url}/q/{code} answers {status}",
                "The address leads to a service with another database: posters lead nowhere.",
            )  # fmt: skip
        else:
            yield well("printed codes", f"{settings.public_url}/q/{code} opens a form")


def proxy(settings: Settings) -> Iterator[Finding]:
    """Whether the service learns from the proxy who calls, and believes nobody else about it."""
    if not settings.public_url:
        return
    with httpx.stream(
        "GET",
        f"{settings.public_url}/connection",
        headers={"X-Forwarded-For": CLAIMED},
        timeout=_PATIENCE_S,
        verify=ssl.create_default_context(),
    ) as answer:
        here = answer.extensions["network_stream"].get_extra_info("client_addr")[0]
        answer.read()
    if answer.status_code != 200:
        yield unknown("proxy", f"/connection answers {answer.status_code}")
        return
    yield from judged(Connection(**answer.json()), here, settings)


def judged(seen: Connection, here: str, settings: Settings) -> Iterator[Finding]:
    """What the service says of a connection that was made from ``here`` with a false claim."""
    if seen.address == CLAIMED:
        yield wrong(
            "proxy", "the service believes whatever address a client claims",
            "Let the proxy set X-Forwarded-For anew (proxy_set_header X-Forwarded-For "
            "$remote_addr): limits by address can be evaded.",
        )  # fmt: skip
    elif _is_local(seen.address) and not _is_local(here):
        yield wrong(
            "proxy", "the service takes everybody for the proxy itself",
            "Let the proxy send X-Forwarded-For, and name it in FORWARDED_ALLOW_IPS: all citizens "
            "share the limits of one address.",
        )  # fmt: skip
    else:
        yield well("proxy", "the service sees who calls")
    if settings.over_https and seen.scheme != "https":
        yield wrong(
            "proxy", "the service does not learn that people come by HTTPS",
            "Let the proxy send X-Forwarded-Proto, and name it in FORWARDED_ALLOW_IPS.",
        )  # fmt: skip
    expected = urlsplit(settings.public_url or "").netloc
    if seen.host != expected:
        yield wrong(
            "proxy", f"the service is called {seen.host} by the proxy, not {expected}",
            "Let the proxy pass the name on (proxy_set_header Host $host).",
        )  # fmt: skip


def certificate(settings: Settings) -> Iterator[Finding]:
    """Whether browsers believe the certificate, and for how long."""
    if not settings.over_https:
        if settings.public_url:
            yield wrong(
                "certificate", f"{settings.public_url} is not encrypted",
                "Serve it by HTTPS: passwords and answers can be read on the way.",
            )  # fmt: skip
        return
    where = urlsplit(settings.public_url or "")
    name, port = where.hostname or "", where.port or 443
    context = ssl.create_default_context()
    try:
        with (
            socket.create_connection((name, port), timeout=_PATIENCE_S) as plain,
            context.wrap_socket(plain, server_hostname=name) as secured,
        ):
            ends = str((secured.getpeercert() or {})["notAfter"])
    except ssl.SSLCertVerificationError as error:
        yield wrong(
            "certificate", f"browsers do not believe it: {error.verify_message}",
            "Renew it, and let the proxy send the whole chain.",
        )  # fmt: skip
        return
    except OSError as error:
        yield wrong(
            "certificate", f"{name}:{port} cannot be asked: {error}",
            "Look at the name (DNS), the proxy and the firewall.",
        )  # fmt: skip
        return
    until = datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC)
    if until - datetime.now(UTC) < _SOON:
        yield look(
            "certificate", f"it ends on {until:%Y-%m-%d}",
            "Look why it is not renewed (certbot renew).",
        )  # fmt: skip
    else:
        yield well("certificate", f"it holds until {until:%Y-%m-%d}")


def _is_local(address: str) -> bool:
    return address.startswith("127.") or address in ("::1", "")


def _get(settings: Settings, path: str) -> httpx.Response:
    # By the machine's own list of authorities: an office may have one of its own.
    return httpx.get(
        f"{settings.public_url}{path}", timeout=_PATIENCE_S, verify=ssl.create_default_context()
    )
