"""The command ``hailong doctor``."""

from __future__ import annotations

import json
from dataclasses import asdict

import typer
from rich.markup import escape

from app.commands import Refused, out
from app.doctor import keeping, machine, outside, sending, service, store
from app.doctor.findings import Check, Severity, examine
from app.settings import Settings

_DATABASE = ("database",)
_OUTSIDE = ("public address",)
CHECKS = (
    Check("versions", machine.versions),
    Check("space", machine.space),
    Check("permissions", machine.permissions),
    Check("time zone", machine.time_zone),
    Check("open files", machine.files),
    Check("database", store.reached),
    Check("clock", service.clock, _DATABASE),
    Check("service", service.runs),
    Check("public address", outside.public_address),
    Check("certificate", outside.certificate),
    Check("proxy", outside.proxy, _OUTSIDE),
    Check("printed codes", outside.printed_codes, (*_DATABASE, *_OUTSIDE)),
    Check("mail", sending.mail),
    Check("digest", sending.digests, _DATABASE),
    Check("SMS", sending.sms, _DATABASE),
    Check("webhooks", sending.webhooks, _DATABASE),
    Check("audit log", store.chained, _DATABASE),
    Check("audit log", keeping.heads, _DATABASE),
    Check("backups", keeping.backups),
    Check("journal", keeping.journal, _DATABASE),
    Check("keys of comments", keeping.text_keys, _DATABASE),
)
#: What takes minutes on a large database.
THOROUGH = (
    Check("pages", store.whole, _DATABASE),
    Check("cells", store.counted, (*_DATABASE, "pages")),
)
_SIGNS = {
    Severity.WELL: "[green]✓[/]",
    Severity.UNKNOWN: "[dim]·[/]",
    Severity.LOOK: "[yellow]![/]",
    Severity.WRONG: "[red]✗[/]",
}


def doctor(
    thorough: bool = typer.Option(
        False, help="Look at every page, and recount all responses; takes minutes."
    ),
    as_json: bool = typer.Option(False, "--json", help="One finding a line, for monitoring."),
) -> None:
    """Say what is wrong with this installation, and what to do about it; exit code 1 if anything.

    Nothing is changed, and nothing is sent to anybody. Run it as the service's user, with the
    service's settings.
    """
    ill = 0
    checks = CHECKS + (THOROUGH if thorough else ())
    for finding in examine(checks, Settings()):
        ill += finding.severity is Severity.WRONG
        if as_json:
            typer.echo(json.dumps(asdict(finding), ensure_ascii=False))
            continue
        out.print(
            f"{_SIGNS[finding.severity]} [bold]{finding.check}[/]: {escape(finding.what)}",
            soft_wrap=True,
        )
        if finding.do:
            out.print(f"    → {escape(finding.do)}", soft_wrap=True)
    if ill:
        raise Refused(f"{ill} thing{'s' if ill > 1 else ''} to be mended")
