"""Memory of a server process under a mixed load: ``make memory``, an hour by default.

Answers singly and in batches, the citizen's form, pages of the dashboard, statistics, charts,
reports as PDF and XLSX, open data and signing in, at a stated rate over a demonstration's database.
Every five seconds it is written down what the process holds, and those that it began. The
environment says how long (``HAILONG_MEMORY_MINUTES``), how many requests a second
(``HAILONG_MEMORY_RATE``) of which sorts (``HAILONG_MEMORY_SORTS``; all by default), on which store
(``HAILONG_MEMORY_STORE``: sqlite or postgresql) and over which demonstration's folder
(``HAILONG_MEMORY_DEMONSTRATION``), of which a copy is made.
"""

from __future__ import annotations

import csv
import os
import random
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Lock, Semaphore, Thread

import httpx
import psutil
from rich.console import Console
from sqlalchemy import Integer, select, text

from app.access import credentials
from app.access.models import Right
from app.db import Base, Database
from app.demonstration import people, province
from app.intake.ids import made_uuid7
from app.registry.points import find_by_code
from app.settings import Settings
from app.setup import prepare
from tests.bench.curve import FLAT, Run, Sample, of_process
from tests.databases import PostgresServer, address
from tests.server import ROOT, ServerProcess, free_port

MINUTES = float(os.environ.get("HAILONG_MEMORY_MINUTES", "60"))
RATE = float(os.environ.get("HAILONG_MEMORY_RATE", "10"))
STORE = os.environ.get("HAILONG_MEMORY_STORE", "sqlite")
#: Where the samples are written.
SAMPLES = Path(os.environ.get("HAILONG_MEMORY_SAMPLES", str(ROOT / "var" / "memory.csv")))
EVERY_S = 5.0
CLIENTS = 8
#: How many of the clients read at once.
READERS = int(os.environ.get("HAILONG_MEMORY_READERS", "8"))
BATCH = 50
SIZE = 4000
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
_RADIO = re.compile(r'<input[^>]* type="radio"[^>]* name="(a\.[^"]+)"[^>]* value="(\d+)"')
_PAGES = ("overview", "units", "unit", "comparison", "sections", "items", "quality")
_CHARTS = (
    "overview/trend", "units/map", "units/league", "unit/factors", "unit/trend", "unit/items",
    "unit/channels", "comparison/funnel", "items/factors", "quality/no_opinion",
)  # fmt: skip
_STATISTICS = (
    "?by=unit&", "/ranking?", "/funnel?", "/trend?step=month&", "/alerts?", "/drivers?",
    "/reliability?",
)  # fmt: skip


@dataclass(frozen=True)
class World:
    """What the clients know of the demonstration."""

    url: str
    password: str
    reader: str
    #: Devices: secret, public code.
    devices: Sequence[tuple[str, str]]
    units: Sequence[str]

    @classmethod
    def of(cls, url: str, folder: Path) -> World:
        """Give devices and a reader their keys in a demonstration's database."""
        with closing(Database(url)) as database, database.writing() as session:
            points = [each for each in province.points(session) if each.last_day is None]
            desks = [each for each in points if each.questionnaire == "sipas-desk"]
            devices = [
                (
                    credentials.issue(
                        session, p.unit, [Right.SUBMIT], find_by_code(session, p.code)
                    ),
                    p.code,
                )
                for p in desks[-16:]
            ]
            reader = credentials.issue(
                session, "memory", [Right.READ_FIGURES, Right.READ_SMALL_CELLS, Right.READ_REGISTRY]
            )
            units = sorted({each.unit for each in points})
        return cls(url, people.password_of(folder), reader, devices, units)


def body(point: str, chance: random.Random) -> dict[str, object]:
    """A response of the one-stop desk, all of its rated items answered."""
    counts = zip("ABCDE", (4, 5, 6, 3, 4), strict=True)
    now = datetime.now(UTC)
    return {
        "id": str(made_uuid7(now, chance.randbytes(10))),
        "questionnaire": "sipas-desk",
        "version": 2,
        "point": point,
        "answered_at": now.isoformat(),
        "duration_s": 75,
        "language": "vi",
        "answers": {f"{f}{i}": chance.randint(2, 5) for f, n in counts for i in range(1, n + 1)},
    }


class Client:
    """One of those who send requests, drawn from the mix."""

    def __init__(self, base: str, world: World, seed: int) -> None:
        self.chance = random.Random(seed)
        self._world = world
        self._http = httpx.Client(base_url=base, timeout=120)
        self._signed_in = httpx.Client(base_url=base, timeout=120)
        self.codes: Counter[int] = Counter()
        self.trouble: list[str] = []

    def _note(self, answer: httpx.Response) -> httpx.Response:
        self.codes[answer.status_code] += 1
        if answer.status_code >= 500 or answer.status_code == 401:
            self.trouble.append(f"{answer.request.url} {answer.status_code} {answer.text[:300]}")
        return answer

    def _device(self) -> tuple[dict[str, str], str]:
        secret, code = self.chance.choice(self._world.devices)
        return {"Authorization": f"Bearer {secret}"}, code

    def single(self) -> None:
        """One answer of a device."""
        headers, code = self._device()
        self._note(
            self._http.post("/api/v1/responses", json=body(code, self.chance), headers=headers)
        )

    def batch(self) -> None:
        """What a device kept offline."""
        headers, code = self._device()
        sent = {"responses": [body(code, self.chance) for _ in range(BATCH)]}
        self._note(self._http.post("/api/v1/responses", json=sent, headers=headers))

    def form(self) -> None:
        """The citizen's form, opened and sent."""
        _, code = self._device()
        page = self._note(self._http.get(f"/q/{code}")).text
        filled = dict(_HIDDEN.findall(page)) | dict(_RADIO.findall(page))
        self._note(self._http.post(f"/q/{code}", data=filled))

    def sign_in(self) -> None:
        """A person signs in."""
        sent = {"email": people.PEOPLE[0].email, "password": self._world.password}
        with httpx.Client(base_url=self._http.base_url, timeout=120) as browser:
            self._note(browser.post("/sign-in", data=sent))
            self._signed_in.cookies = browser.cookies

    def page(self) -> None:
        """A page of the dashboard."""
        self._signed(f"/dashboard/{self.chance.choice(_PAGES)}?{self._about()}")

    def chart(self) -> None:
        """A chart as a file."""
        kind = self.chance.choice(("svg", "svg", "png"))
        self._signed(f"/dashboard/charts/{self.chance.choice(_CHARTS)}.{kind}?{self._about()}")

    def figures(self) -> None:
        """A statistic over the interface."""
        headers = {"Authorization": f"Bearer {self._world.reader}"}
        path = self.chance.choice(_STATISTICS)
        days = self.chance.choice(("&from=2026-01-01", "&from=2026-07-01&to=2026-09-30", ""))
        ask = f"/api/v1/satisfaction{path}questionnaire=sipas-desk{days}"
        self._note(self._http.get(ask, headers=headers))

    def pdf(self) -> None:
        """A report as PDF."""
        self._signed(f"/api/v1/reports?format=pdf&{self._about()}")

    def xlsx(self) -> None:
        """A report as XLSX."""
        self._signed(f"/api/v1/reports?format=xlsx&{self._about()}")

    def posters(self) -> None:
        """A unit's posters."""
        self._signed(f"/api/v1/posters?size=a4&unit={self.chance.choice(self._world.units)}")

    def open_data(self) -> None:
        """What is published."""
        unit = self.chance.choice(self._world.units)
        paths = (
            "/public",
            "/public/data.csv",
            "/public/dictionary.csv",
            f"/public/{unit}/badge.svg",
        )
        self._note(self._http.get(self.chance.choice(paths)))

    def script(self) -> None:
        """The script that draws charts in a browser."""
        page = self._signed("/dashboard/overview").text
        for path in re.findall(r"/charts/[0-9a-f]+\.js", page)[:1]:
            self._note(self._http.get(path))

    def _signed(self, path: str) -> httpx.Response:
        if not self._signed_in.cookies:
            self.sign_in()
        return self._note(self._signed_in.get(path, follow_redirects=True))

    def _about(self) -> str:
        period = self.chance.choice(("2026-Q1", "2026-Q2", "2026-Q3", "2026-08", "2026-09", "2026"))
        unit = self.chance.choice((*self._world.units, ""))
        return f"unit={unit}&period={period}"


#: How many of a hundred requests are of each sort.
MIX: dict[str, int] = {
    "single": 36, "batch": 6, "form": 12, "page": 14, "figures": 10, "chart": 8, "open_data": 4,
    "sign_in": 2, "pdf": 3, "xlsx": 3, "posters": 1, "script": 1,
}  # fmt: skip

#: Those of them that are no readers'.
SENT = ("single", "batch", "form", "sign_in")


def load(
    server: ServerProcess,
    world: World,
    seconds: float,
    *,
    rate: float = RATE,
    mix: dict[str, int] = MIX,
    every_s: float = EVERY_S,
    tell: Callable[[Sample], None] = lambda sample: None,
) -> Run:
    """Send the mix at a rate for so long, and sample what the server holds."""
    run, over, lock = Run(), Event(), Lock()
    began = time.monotonic()
    draw, readers = random.Random(19), Semaphore(READERS)
    sorts, weights = list(mix), list(mix.values())
    turns = 0

    def work(client: Client) -> None:
        nonlocal turns
        while not over.is_set():
            with lock:
                turn, turns = turns, turns + 1
                sort = draw.choices(sorts, weights)[0]
            # Each request has its moment; what the server is late with is not caught up.
            if over.wait(max(0.0, began + turn / rate - time.monotonic())):
                return
            try:
                with nullcontext() if sort in SENT else readers:
                    getattr(client, sort)()
            except httpx.HTTPError as error:
                client.trouble.append(f"{sort}: {error!r}")
            with lock:
                run.sent[sort] += 1
                turns = max(turns, int((time.monotonic() - began) * rate) - CLIENTS)

    clients = [Client(server.address, world, seed) for seed in range(CLIENTS)]
    threads = [Thread(target=work, args=(client,), daemon=True) for client in clients]
    for thread in threads:
        thread.start()
    process = psutil.Process(server.process.pid)
    while (second := time.monotonic() - began) < seconds:
        sample = Sample(second, *of_process(process), sum(run.sent.values()))
        run.samples.append(sample)
        tell(sample)
        time.sleep(every_s)
    over.set()
    for thread in threads:
        thread.join(150)
    for client in clients:
        run.codes.update(client.codes)
        run.trouble += client.trouble
    return run


def demonstration(folder: Path) -> Path:
    """A folder with a demonstration: a copy of one that is there, or a small new one."""
    given = Path(os.environ.get("HAILONG_MEMORY_DEMONSTRATION", str(ROOT / "var" / "demo")))
    folder.mkdir(parents=True, exist_ok=True)
    if (given / "hailong.db").exists():
        with (
            closing(sqlite3.connect(f"file:{given / 'hailong.db'}?mode=ro", uri=True)) as old,
            closing(sqlite3.connect(folder / "hailong.db")) as new,
        ):
            old.backup(new)
        (folder / "password").write_text((given / "password").read_text())
        return folder
    command = [
        "demo",
        "--folder",
        str(folder),
        "--size",
        str(SIZE),
        "--stop",
        "--until",
        "2026-11-24",
    ]
    command += ["--port", str(free_port())]
    subprocess.run(
        [sys.executable, "-m", "app.cli", *command], cwd=ROOT, check=True, stdout=subprocess.DEVNULL
    )
    return folder


def serve(url: str, log: Path) -> ServerProcess:
    """A server that takes whatever the clients send."""
    rates = {f"{name}_rate": "9000000/hour" for name in (
        "public", "pageless", "page", "point", "device", "key", "sign_in", "sign_in_account",
        "sign_in_address",
    )}  # fmt: skip
    return ServerProcess(url, log, public_page="true", point_reserve=0, **rates).wait_until_ready()


def main(out: Console) -> None:
    """Run and print."""
    chosen = os.environ.get("HAILONG_MEMORY_SORTS", "").split(",")
    mix = {sort: share for sort, share in MIX.items() if sort in chosen} or MIX
    with tempfile.TemporaryDirectory() as name, ExitStack() as after:
        folder = demonstration(Path(name) / "demo")
        url = f"sqlite:///{folder / 'hailong.db'}"
        if STORE == "postgresql":
            postgres = after.enter_context(closing(PostgresServer()))
            url = _as_postgresql(url, address(postgres.create()))
        world = World.of(url, folder)
        server = serve(url, folder / "memory.log")
        after.callback(server.stop)
        run = _written(server, world, mix)
    report(out, run)


def _as_postgresql(old: str, url: str) -> str:
    """The address of a database on PostgreSQL with the rows of one on SQLite."""
    with closing(Database(old)) as source, closing(Database(url)) as target:
        prepare(target, Settings())
        tables = Base.metadata.sorted_tables
        with source.reading() as read, target.writing() as write:
            # Whatever preparing has put there comes with the copy, too; rows are copied as they
            # are, the audit log's among them, which is only appended to else.
            write.execute(text("SET LOCAL session_replication_role = replica"))
            write.execute(text(f"TRUNCATE {', '.join(table.name for table in tables)} CASCADE"))
            for table in tables:
                for rows in read.execute(select(table)).mappings().partitions(1000):
                    write.execute(table.insert(), [dict(row) for row in rows])
                if "id" in table.c and isinstance(table.c.id.type, Integer):
                    sequence = f"pg_get_serial_sequence('{table.name}', 'id')"
                    write.execute(text(f"SELECT setval({sequence}, max(id)) FROM {table.name}"))
    return url


def _written(server: ServerProcess, world: World, mix: dict[str, int]) -> Run:
    SAMPLES.parent.mkdir(parents=True, exist_ok=True)
    with SAMPLES.open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(Sample.__dataclass_fields__)

        def tell(sample: Sample) -> None:
            table.writerow(f"{value:.1f}" for value in vars(sample).values())
            stream.flush()

        return load(server, world, MINUTES * 60, mix=mix, tell=tell)


def report(out: Console, run: Run) -> None:
    """The curve, and what the claim needs."""
    for line in run.curve():
        out.print(line)
    out.print(f"requests {dict(run.sent)}, answers {dict(sorted(run.codes.items()))}")
    for line in run.trouble[:5]:
        out.print(f"trouble: {line}")
    out.print(
        f"highest {run.highest:.0f} MB; last sixth against the third "
        f"{(run.grown - 1) * 100:+.1f} % ({'' if run.grown <= FLAT else 'not '}flat within "
        f"{(FLAT - 1) * 100:.0f} %); over the second half {run.slope:+.0f} MB an hour; "
        f"samples in {SAMPLES}"
    )
