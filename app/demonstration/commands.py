"""The command ``hailong demo``: the synthetic province, loaded over HTTP, shown and served."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import typer

from app.access import credentials, devices
from app.access.models import Credential, Right
from app.commands import Refused, out, progress, say_error
from app.db import Database
from app.demonstration import draw, people, province
from app.demonstration.load import NoAnswerError, RefusedResponsesError, Sender
from app.figures.commands import print_rates
from app.figures.query import Key, Query
from app.intake.rollup_rebuild import count_responses
from app.messages import say
from app.registry.points import find_by_code
from app.registry.questionnaires import newest, published
from app.settings import Settings
from app.setup import prepare


@dataclass(frozen=True)
class Plan:
    """What the demonstration in a folder holds; kept there, so that it can go on if cut off."""

    size: int
    seed: int
    until: datetime

    @classmethod
    def of(cls, folder: Path, size: int, seed: int, now: datetime) -> Plan:
        """The plan that the folder was begun with, or a new one."""
        file = folder / "plan.json"
        if file.exists():
            kept = json.loads(file.read_text(encoding="utf-8"))
            until = datetime.fromisoformat(kept["until"]).astimezone(now.tzinfo)
            return cls(kept["size"], kept["seed"], until)
        folder.mkdir(parents=True, exist_ok=True)
        plan = cls(size, seed, now)
        file.write_text(
            json.dumps({"size": size, "seed": seed, "until": now.isoformat()}), encoding="utf-8"
        )
        return plan


def demo(
    size: int = typer.Option(
        None, min=1000, help="How many responses to draw; HAILONG_DEMONSTRATION_SIZE if left out."
    ),
    seed: int = typer.Option(2020, help="Another seed draws another province."),
    folder: Path = typer.Option(Path("var/demo"), help="Where database and keys are kept."),
    port: int = typer.Option(None, help="Port to serve on."),
    fresh: bool = typer.Option(False, "--fresh", help="Throw the old demonstration away first."),
    stop: bool = typer.Option(False, "--stop", help="Stop after loading instead of serving."),
) -> None:
    """Load the synthetic province over HTTP, print its rates, and serve it."""
    began = time.monotonic()
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
    plan = Plan.of(folder, size, seed, datetime.now(settings.zone))
    if (plan.size, plan.seed) != (size, seed):
        say_error(
            f"{folder} holds {plan.size:,} responses of seed {plan.seed} and is kept; "
            "--fresh draws it anew"
        )
    database = Database(settings.database_url)
    prepare(database, settings)
    with database.writing() as session:
        province.found(session)
        until = plan.until.date()
        province.serve(session, until - timedelta(days=365 * draw.YEARS), until, plan.seed)
    password = people.password_of(folder)
    people.settle(database, password)
    reader = _reader_key(database, folder)
    with database.reading() as session:
        loaded = count_responses(session)
    with _server(settings, folder) as process:
        if loaded < plan.size:
            _load(database, settings, plan)
        print_rates(database, Query(by=[Key.UNIT]))
        with database.reading() as session:
            stored = count_responses(session)
            code = next(p.code for p in province.points(session) if p.unit == "26506")
        pairing = _pairing_code(database)
        out.print(f"{stored:,} responses, ready in {time.monotonic() - began:.1f} s\n")
        (folder / "desk.code").write_text(code, encoding="utf-8")
        _print_addresses(settings, folder, reader, code, password, pairing)
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
    bodies = draw.responses(points, sheets, size=plan.size, seed=plan.seed, until=plan.until)

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
            sender = asyncio.run(send())
        except (RefusedResponsesError, NoAnswerError) as error:
            raise Refused(f"the demonstration could not be loaded: {error}") from error
    if sender.set_aside:
        raise Refused(f"{len(sender.set_aside)} refused; the first: {sender.set_aside[0]}")
    with database.writing() as session:
        for row in session.query(Credential).filter_by(name="demonstration loader"):
            credentials.revoke(session, row.id)


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
    """A code by which a browser becomes the kiosk of the first district."""
    with database.writing() as session:
        kiosk = next(p for p in province.points(session) if p.questionnaire == "kiosk-face")
        point = find_by_code(session, kiosk.code)
        assert point is not None
        return devices.new_code(session, point, "Demo").code


def _print_addresses(
    settings: Settings, folder: Path, reader: str, code: str, password: str, pairing: str
) -> None:
    base = f"http://{settings.host}:{settings.port}"
    for line in (
        f"[bold]{say('synthetic.notice', 'vi')} / {say('synthetic.notice', 'en')}[/]",
        f"Open    {base}",
        f"People  {', '.join(person.email for person in people.PEOPLE)}",
        f"        with the password {password}   (kept in {folder / 'password'})",
        f"Form    {base}/q/{code}   (as behind the QR code of the desk of Phường 1, unit 26506)",
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
                f"hailong demo --port {settings.port + 1}"
            ) from error


@contextmanager
def _server(settings: Settings, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The real server as a process of its own, up and answering."""
    environment = os.environ | {"HAILONG_DATABASE_URL": settings.database_url}
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "serve", "--port", str(settings.port)],
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        for _ in range(300):
            if process.poll() is not None:
                raise Refused(f"the server did not start; see {folder / 'server.log'}")
            try:
                if httpx.get(f"http://{settings.host}:{settings.port}/readyz").is_success:
                    break
            except httpx.TransportError:
                time.sleep(0.1)
        yield process
    finally:
        process.terminate()
        process.wait(20)
