"""Hands mails to the mail server of the settings."""

from __future__ import annotations

import smtplib
import ssl
from contextlib import closing
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from app.settings import Settings

_TIMEOUT_S = 60


def connected(settings: Settings, timeout_s: float | None = None) -> smtplib.SMTP:
    """A connection to the mail server, encrypted where it offers that, on which it knows us.

    Raises
    ------
    OSError, ValueError
        Where there is none to be had.
    """
    server: smtplib.SMTP | None = None
    timeout_s = timeout_s or _TIMEOUT_S
    try:
        where = urlsplit(settings.mail_server or "")
        host, secure = where.hostname or "localhost", where.scheme == "smtps"
        if secure:
            context = ssl.create_default_context()
            server = smtplib.SMTP_SSL(host, where.port or 465, timeout=timeout_s, context=context)
        else:
            server = smtplib.SMTP(host, where.port or 25, timeout=timeout_s)
        server.ehlo_or_helo_if_needed()  # what it offers is not known before
        if not secure and server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
        if where.username:
            server.login(unquote(where.username), unquote(where.password or ""))
    except (OSError, ValueError):
        if server is not None:
            server.close()
        raise
    return server


def send_mail(settings: Settings, message: EmailMessage, timeout_s: float | None = None) -> None:
    """Hand a mail over.

    Raises
    ------
    OSError, ValueError
        Where the mail server does not take it.
    """
    with closing(connected(settings, timeout_s)) as server:
        server.send_message(message)
        server.quit()


def is_refusal(error: Exception) -> bool:
    """Whether the mail server is there and does not take this one mail."""
    gone = smtplib.SMTPServerDisconnected, smtplib.SMTPConnectError, smtplib.SMTPAuthenticationError
    if isinstance(error, gone):
        return False
    return isinstance(error, (smtplib.SMTPException, ValueError))
