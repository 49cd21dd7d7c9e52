"""Mails reports: to each address once, and one that is refused holds up no other.

Beside a report's files ``.mailed`` has a line for each address that the mail server took it for;
``.unmailed`` says of the others, in JSON, how often it was tried, why in vain, and when it is
tried again. A mail that the server took just before the process died is sent twice rather than not
at all. Delete ``.unmailed`` to have all of them tried again at once.
"""

from __future__ import annotations

import json
import smtplib
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage, Message
from pathlib import Path

from app.dead_letters import MOST_TRIES, pause, reason_of
from app.mail import connected
from app.messages.words import Words
from app.reports.documents.files import Kind, Order
from app.settings import Settings

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1800, 24 * 3600
MAILED, UNMAILED = ".mailed", ".unmailed"


class MailServerError(Exception):
    """The mail server cannot be reached or lets nobody in: no mail can be sent now."""


class ConnectionLostError(Exception):
    """The mail server went silent or away over one mail, which is noted as failed."""


@dataclass(frozen=True)
class Unmailed:
    """An address that a report could not be mailed to; without a time it is given up."""

    report: str
    address: str
    tries: int
    reason: str
    failed_at: datetime
    again_at: datetime | None


def addresses(settings: Settings) -> list[str]:
    """Those who are to have reports."""
    return [each.strip() for each in settings.report_mail.split(",") if each.strip()]


def mail(settings: Settings, order: Order, files: Sequence[Path]) -> list[Unmailed]:
    """Mail a report's files to those who have not had them; to whom it failed just now.

    Raises
    ------
    MailServerError
        Where no mail can be sent at all; that counts against nobody.
    ConnectionLostError
        Where the server went away over this mail.
    OSError
        Where a file cannot be read or written.
    """
    mailed, unmailed = (files[0].with_suffix(suffix) for suffix in (MAILED, UNMAILED))
    failed = {each.address: each for each in _read(unmailed)}
    have = set(mailed.read_text("utf-8").split()) if mailed.exists() else set()
    if mailed.exists() and not have:  # by a former version, to all
        return []
    wanted = [each for each in addresses(settings) if each not in have]
    now = datetime.now(UTC)
    due = [each for each in wanted if each not in failed or _is_due(failed[each], now)]
    if not due:
        return []
    refused, lost = _send(settings, _message(settings, order, files, due), due)
    if len(refused) < len(due):
        with mailed.open("a", encoding="utf-8") as stream:
            stream.writelines(f"{each}\n" for each in due if each not in refused)
    for address in due:
        before = failed.pop(address, None)
        if address in refused:
            tries = before.tries + 1 if before else 1
            again = now + pause(tries, _FIRST_PAUSE_S, _LONGEST_PAUSE_S)
            failed[address] = Unmailed(
                unmailed.stem, address, tries, refused[address], now,
                again if tries < MOST_TRIES else None,
            )  # fmt: skip
    _write(unmailed, [each for address, each in failed.items() if address in wanted])
    if lost:
        raise ConnectionLostError(lost)
    return [failed[each] for each in due if each in failed]


def undelivered(folder: Path) -> list[Unmailed]:
    """What could not be mailed, of all reports in a folder, the newest first."""
    found = [each for file in folder.rglob(f"*{UNMAILED}") for each in _read(file)]
    return sorted(found, key=lambda each: each.failed_at, reverse=True)


def _is_due(unmailed: Unmailed, now: datetime) -> bool:
    return unmailed.again_at is not None and unmailed.again_at <= now


def _read(file: Path) -> list[Unmailed]:
    """What a file says; nothing where it cannot be read, so that all are tried."""
    try:
        return [
            Unmailed(
                file.stem, str(address), int(said["tries"]), str(said["reason"]),
                datetime.fromisoformat(said["failed_at"]),
                datetime.fromisoformat(said["again_at"]) if said["again_at"] else None,
            )
            for address, said in json.loads(file.read_text("utf-8")).items()
        ]  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []


def _write(file: Path, unmailed: Sequence[Unmailed]) -> None:
    if not unmailed:
        file.unlink(missing_ok=True)
        return
    said = {
        each.address: {
            "tries": each.tries, "reason": each.reason, "failed_at": each.failed_at.isoformat(),
            "again_at": each.again_at.isoformat() if each.again_at else None,
        }
        for each in unmailed
    }  # fmt: skip
    part = file.with_suffix(file.suffix + ".part")
    part.write_text(json.dumps(said, ensure_ascii=False, indent=1) + "\n", "utf-8")
    part.replace(file)


def _message(
    settings: Settings, order: Order, files: Sequence[Path], to: Sequence[str]
) -> Message[str, str]:
    words = Words(order.language)
    title = f"{order.unit}, {order.questionnaire}, {words.period(order.period)}"
    message = EmailMessage()
    message["Subject"] = words("report.mail_subject", title=title)
    message["From"] = settings.mail_from
    message["To"] = ", ".join(each for each in to if _is_address(each))
    message.set_content(words("report.mail_body", title=title))
    for file in files:
        kind = Kind(file.suffix.removeprefix("."))
        major, _, minor = kind.media.partition("/")
        message.add_attachment(file.read_bytes(), maintype=major, subtype=minor, filename=file.name)
    return message


def _is_address(text: str) -> bool:
    """Whether every mail server can be told it; what is typed wrong is refused alone."""
    name, _, host = text.rpartition("@")
    return bool(name and host) and text.isascii() and text.isprintable() and " " not in text


def _send(
    settings: Settings, message: Message[str, str], to: Sequence[str]
) -> tuple[dict[str, str], str | None]:
    """Hand a mail over: the addresses that it was not taken for, and why; how the server was lost.

    What is refused for one mail may be taken for the next; a server that is gone is gone for all.
    """
    refused = {each: "no address" for each in to if not _is_address(each)}
    good = [each for each in to if each not in refused]
    if not good:
        return refused, None
    with closing(_connected(settings)) as server:
        try:
            answers = server.send_message(message, to_addrs=good)
            with suppress(OSError):  # the mail is taken, however the server says goodbye
                server.quit()
        except smtplib.SMTPRecipientsRefused as error:
            answers = error.recipients
        except (smtplib.SMTPResponseException, smtplib.SMTPNotSupportedError, ValueError) as error:
            return refused | dict.fromkeys(good, reason_of(error)), None
        except OSError as error:
            return refused | dict.fromkeys(good, reason_of(error)), reason_of(error)
    told = {each: f"{code} {_text(said)}"[:200] for each, (code, said) in answers.items()}
    return refused | told, None


def _text(said: bytes | str) -> str:
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else said


def _connected(settings: Settings) -> smtplib.SMTP:
    """A connection on which mail can be sent.

    Raises
    ------
    MailServerError
        Where there is none to be had.
    """
    try:
        return connected(settings)
    except (OSError, ValueError) as error:
        raise MailServerError(reason_of(error)) from error
