"""The command ``hailong demo``: the synthetic province, loaded over HTTP, shown and served."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from time import monotonic

import httpx
import typer

from app.access import credentials, devices
from app.access.models import Credential, Right
from app.commands import Refused, open_database, out, progress, say_error
from app.db import Database
from app.demonstration import draw, people, province
from app.demonstration.draw import MONTHS_OF_STUFFING
from app.demonstration.load import NoAnswerError, RefusedResponsesError, Sender
from app.demonstration.province import OF_2020, PROVINCES, DemoPoint, Province
from app.demonstration.reform import reorganise
from app.demonstration.server import run_to_end, serving
from app.figures.commands import print_rates
from app.figures.query import Key, Query
from app.intake.rollup_rebuild import count_responses
from app.integrity.passes import latest_months, run
from app.integrity.rules import first_rules, set_rule
from app.messages import say
from app.registry.points import find_by_code
from app.registry.queries import find_unit
from app.registry.questionnaires import newest, published
from app.settings import Settings
from app.setup import prepare


@dataclass(frozen=True)
class Plan:
    """What the demonstration in a folder holds; kept there, so that it can go on if cut off."""

    size: int
    seed: int
    until: datetime
    province: Province

    @classmethod
    def of(cls, folder: Path, size: int, seed: int, now: datetime, province: Province) -> Plan:
        """The plan that the folder was begun with, or a new one."""
        file = folder / "plan.json"
        if file.exists():
            kept = json.loads(file.read_text(encoding="utf-8"))
            until = datetime.fromisoformat(kept["until"]).astimezone(now.tzinfo)
            # Folders from before there was a choice hold the province of 2020.
            province = PROVINCES[kept.get("province", OF_2020.word)]
            return cls(kept["size"], kept["seed"], until, province)
        folder.mkdir(parents=True, exist_ok=True)
        kept = {"size": size, "seed": seed, "until": now.isoformat(), "province": province.word}
        file.write_text(json.dumps(kept), encoding="utf-8")
        return cls(size, seed, now, province)


def demo(
    size: int = typer.Option(
        None, min=1000, help="How many responses to draw; HAILONG_DEMONSTRATION_SIZE if left out."
    ),
    seed: int = typer.Option(2020, help="Another seed draws another province."),
    until: datetime = typer.Option(
        None, formats=["%Y-%m-%d"], help="Last day of answers; they go until now if left out."
    ),
    folder: Path = typer.Option(Path("var/demo"), help="Where database and keys are kept."),
    port: int = typer.Option(None, help="Port to serve on."),
    fresh: bool = typer.Option(False, "--fresh", help="Throw the old demonstration away first."),
    stop: bool = typer.Option(False, "--stop", help="Stop after loading instead of serving."),
) -> None:
    """Load the synthetic province over HTTP, print its rates, and serve it."""
    began = monotonic()
    if fresh and (folder / "plan.json").exists():
        shutil.rmtree(folder)
    settings = Settings()
    settings = settings.model_copy(
        update={
            "database_url": f"sqlite:///{folder / 'hailong.db'}",
            "port": settings.port if port is None else port,
        }
    )
    _check_port(settings)
    size = settings.demonstration_size if size is None else size
    asked = PROVINCES[settings.demonstration_province]
    now = datetime.now(settings.zone)
    ends = now if until is None else end_of(until.date(), now, asked)
    plan = Plan.of(folder, size, seed, ends, asked)
    if (plan.size, plan.seed, plan.province) != (size, seed, asked):
        say_error(
            f"{folder} holds {plan.size:,} responses of seed {plan.seed} in the province of "
            f"{plan.province.word} and is kept; --fresh draws it anew"
        )
    with open_database(settings, migrates=True) as database:
        _demonstrate(database, settings, folder, plan, began, stop)


def end_of(day: date, now: datetime, province: Province) -> datetime:
    """When the offices close on the last day that answers are drawn of.

    Raises
    ------
    Refused
        Where the day has not come, or less than a year of answers would be there.
    """
    least = province.founded + timedelta(days=365)
    if not least <= day <= now.date():
        raise Refused(f"--until {day} does not lie between {least} and today")
    return min(now, datetime.combine(day, time(16, 30), now.tzinfo))


def _demonstrate(
    database: Database, settings: Settings, folder: Path, plan: Plan, began: float, stop: bool
) -> None:
    """Load what is missing into the database, print the rates, and serve until stopped."""
    prepare(database, settings)
    with database.writing("demonstration") as session:
        province.found(session, plan.province)
    password = people.password_of(folder)
    people.settle(database, password, plan.province)
    until = plan.until.date()
    with database.writing("demonstration") as session:
        reorganise(session, datetime.now(settings.zone).date(), plan.province)
        province.serve(session, plan.province.first_day(until), until, plan.seed)
    reader = _reader_key(database, folder)
    with database.reading() as session:
        loaded = count_responses(session)
    with serving(settings, folder) as process:
        if loaded < plan.size:
            _load(database, settings, plan)
            _examine(database, settings, plan)
        print_rates(database, Query(by=[Key.UNIT]))
        with database.reading() as session:
            stored = count_responses(session)
            desk = _desk(province.points(session))
            name = find_unit(session, desk.unit).name_vi
        pairing = _pairing_code(database)
        out.print(f"{stored:,} responses, ready in {monotonic() - began:.1f} s\n")
        (folder / "desk.code").write_text(desk.code, encoding="utf-8")
        _print_addresses(settings, folder, plan, reader, desk.code, name, password, pairing)
        if stop:
            return
        out.print("\nThe server runs until Ctrl-C; the next start takes seconds.")
        try:
            process.wait()
        except KeyboardInterrupt:
            return
        raise Refused(f"the server ended by itself; see {folder / 'server.log'}")


def _load(database: Database, settings: Settings, plan: Plan) -> None:
    with database.writing() as session:
        secret = credentials.issue(session, "demonstration loader", [Right.IMPORT_HISTORY])
        points = province.points(session)
        sheets = {code: version.sheet for code, version in newest(published(session)).items()}
    first = plan.province.first_day(plan.until.date())
    bodies = draw.responses(
        points, sheets, size=plan.size, seed=plan.seed, until=plan.until, first=first
    )

    async def send() -> Sender:
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{settings.port}",
            headers={"Authorization": f"Bearer {secret}"},
            timeout=60,
        ) as client:
            sender = Sender(client, lambda n: bar.advance(task, n), patience_s=60)
            await sender.send_all(bodies)
            return sender

    with progress() as bar:
        task = bar.add_task("Responses over HTTP", total=plan.size)
        try:
            sender = run_to_end(send())
        except (RefusedResponsesError, NoAnswerError) as error:
            raise Refused(f"the demonstration could not be loaded: {error}") from error
    if sender.set_aside:
        raise Refused(f"{len(sender.set_aside)} refused; the first: {sender.set_aside[0]}")
    with database.writing() as session:
        for row in session.query(Credential).filter_by(name="demonstration loader"):
            credentials.revoke(session, row.id)


def _examine(database: Database, settings: Settings, plan: Plan) -> None:
    """Put the first rule in force, and set aside what it finds of what was planted."""
    by = "demonstration"
    with database.writing(by) as session:
        set_rule(session, "stuffing", first_rules()["stuffing"], active=True, by=by)
    with progress() as bar:
        task = bar.add_task("Responses examined", total=None)
        done = run(
            database,
            settings,
            latest_months(plan.until.date(), MONTHS_OF_STUFFING),
            actor=by,
            tell=lambda n: bar.advance(task, n),
        )
    out.print(
        f"{done.responses} responses of {done.quarantined} boxes look stuffed and are set aside "
        "until somebody decides: see /integrity when signed in."
    )


def _reader_key(database: Database, folder: Path) -> str:
    """The key with which the printed addresses are read; kept beside the database."""
    file = folder / "reader.key"
    if not file.exists():
        with database.writing() as session:
            secret = credentials.issue(
                session,
                "demonstration reader",
                # Nobody stands behind synthetic answers: small cells are shown too.
                [Right.READ_FIGURES, Right.READ_SMALL_CELLS, Right.READ_REGISTRY],
            )
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "w") as stream:
            stream.write(secret)
    return file.read_text(encoding="utf-8")


def _pairing_code(database: Database) -> str:
    """A code by which a browser becomes the first kiosk that asks with faces."""
    with database.writing() as session:
        kiosk = next(p for p in province.points(session) if p.questionnaire == "kiosk-face")
        point = find_by_code(session, kiosk.code)
        assert point is not None
        return devices.new_code(session, point, "Demo").code


def _desk(points: Sequence[DemoPoint]) -> DemoPoint:
    """The desk that the README's lines speak of; the first of a ward that was merged."""
    return next(p for p in points if (p.unit, p.questionnaire) == ("26506", "sipas-desk"))


def _print_addresses(
    settings: Settings,
    folder: Path,
    plan: Plan,
    reader: str,
    code: str,
    unit: str,
    password: str,
    pairing: str,
) -> None:
    base = f"http://{settings.host}:{settings.port}"
    emails = [person.email for person in people.people_of(plan.province)]
    for line in (
        f"[bold]{say('synthetic.notice', 'vi')} / {say('synthetic.notice', 'en')}[/]",
        f"Open    {base}",
        f"People  {', '.join(emails)}",
        f"        with the password {password}   (kept in {folder / 'password'})",
        f"Form    {base}/q/{code}   (as behind the QR code of the desk of {unit}, unit 26506)",
        f"Kiosk   {base}/kiosk   (pairing code {pairing}, for a quarter of an hour; more at "
        f"{base}/devices)",
        f"Figures {base}/dashboard   (when signed in)",
        f"Posters {base}/posters   (when signed in)",
        f"API     {base}/docs",
        f"Key     {reader}   (to read figures; kept in {folder / 'reader.key'})",
        f"Desk    {code}   (that desk's public code; also in {folder / 'desk.code'})",
        "README.md has the lines that submit a response there and read its rate.",
    ):
        out.print(line, soft_wrap=True)


def _check_port(settings: Settings) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise Refused(
                f"port {settings.port} is taken ({error.strerror}); choose another one: "
                f"{_again(settings.port + 1)}"
            ) from error


def _again(port: int) -> str:
    """How whoever started this starts it at another port: make's users have no hailong at hand."""
    return f"make demo PORT={port}" if "MAKELEVEL" in os.environ else f"hailong demo --port {port}"
