"""What tests of all rooms use: databases of both kinds, a small province, the application."""

from __future__ import annotations

import asyncio
import io
import os
import shutil
import socket
import ssl
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, redirect_stderr, redirect_stdout
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import httpx
import pytest
import uvicorn
from httpx import create_ssl_context
from httpx._transports import default as transports
from hypothesis import settings as hypothesis_settings
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy.engine import URL, make_url
from sqlalchemy.pool import QueuePool

import app.commands
from app.access import passwords
from app.cli import main
from app.db import Database
from app.figures.release import ReleaseRule
from app.main import create_app
from app.serving.protocol import BoundedProtocol
from app.settings import Settings
from app.setup import prepare
from tests.databases import (
    BACKENDS,
    PostgresServer,
    address,
    copy_sqlite,
    make_postgres_user,
)
from tests.small_province import SmallProvince

# How long an example takes says how busy the machine is, and nothing of the code.
hypothesis_settings.register_profile("unhurried", deadline=None)
hypothesis_settings.load_profile("unhurried")

#: Databases come and go by the hundred; a copy of one takes ten times as long on a disk.
_MEMORY, _ROOM = Path("/dev/shm"), 4 << 30


def pytest_configure(config: pytest.Config) -> None:
    """Put what tests and their processes write into memory, where there is room."""
    usable = _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK)
    if usable and "TMPDIR" not in os.environ and shutil.disk_usage(_MEMORY).free > _ROOM:
        os.environ["TMPDIR"] = str(_MEMORY)
        tempfile.tempdir = None  # read again
    if not hasattr(config, "workerinput"):  # before there are workers
        make_postgres_user()
    # Tests send more than people do. What the true rates let pass, tests/intake/test_allowances.py
    # tells; servers in processes of their own are given these too.
    for name in ("PUBLIC", "PAGELESS", "PAGE", "POINT", "DEVICE", "KEY"):
        os.environ.setdefault(f"HAILONG_{name}_RATE", "100000 per 1 minute")
    os.environ.setdefault("HAILONG_POINT_RESERVE", "0")
    # What draws charts is loaded by who draws one (tests/test_main.py has it loaded ahead): each of
    # the servers in processes of their own would else take five seconds of a processor for it.
    os.environ.setdefault("HAILONG_CHARTS_READY_S", "0")
    # Java starts for seconds; what comes of it, tests/surveys/formats/test_odk.py tells.
    os.environ.setdefault("HAILONG_ODK_VALIDATE", "false")
    # Of all databases one file of keys; where one is by itself, tests/test_text_keys.py tells.
    os.environ.setdefault(
        "HAILONG_TEXT_KEY_FILE", f"{tempfile.gettempdir()}/hailong-tests-{os.getuid()}.texts.key"
    )
    # Processes that tests start find what the first of them compiled; and so do the next tests,
    # whose modules take longer to be made ready than most take to run.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let tests that share a world run in one process, so that it is made once."""
    for item in items:
        if "world" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Passwords kept as ever, by Argon2id, with little work: each costs a sixth of a second else.

    What the service takes for one, ``tests/access/test_accounts.py`` asks of a process of its own.
    """
    with pytest.MonkeyPatch.context() as patch:
        quick = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))
        patch.setattr(passwords, "_argon2", quick)
        yield


@pytest.fixture(scope="session", autouse=True)
def one_trust() -> Iterator[None]:
    """Whom the machine trusts is read once; else each of some thousand clients reads it."""
    made: dict[str | None, ssl.SSLContext] = {}

    def context(verify: object = True, cert: object = None, trust_env: bool = True) -> object:
        if verify is not True or cert or not trust_env or "SSL_CERT_DIR" in os.environ:
            return create_ssl_context(verify, cert, trust_env)  # type: ignore[arg-type]
        named = os.environ.get("SSL_CERT_FILE")
        if named not in made:
            made[named] = create_ssl_context()
        return made[named]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transports, "create_ssl_context", context)
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with closing(PostgresServer()) as server:
        yield server


@pytest.fixture(scope="session")
def templates(
    postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], URL]:
    """Databases with the newest schema and the published forms, made once a kind."""
    made: dict[str, URL] = {}

    def template(backend: str) -> URL:
        if backend not in made:
            file = tmp_path_factory.mktemp("template") / "template.db"
            url = postgres.create() if backend == "postgresql" else make_url(f"sqlite:///{file}")
            with closing(Database(address(url))) as database:
                prepare(database, Settings())
            made[backend] = url
        return made[backend]

    return template


@pytest.fixture(params=BACKENDS)
def database_url(
    request: pytest.FixtureRequest,
    templates: Callable[[str], URL],
    postgres: PostgresServer,
    tmp_path: Path,
) -> Iterator[str]:
    """A database of each kind in turn, ready to take responses."""
    template = templates(request.param)
    if request.param == "sqlite":
        yield address(copy_sqlite(template, tmp_path / "hailong.db"))
        return
    url = postgres.create(template)
    yield address(url)
    postgres.drop(url)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with closing(Database(database_url)) as database:
        yield database


@pytest.fixture(scope="module")
def own_database(
    templates: Callable[[str], URL], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """A SQLite database that a module's drawn examples share."""
    file = tmp_path_factory.mktemp("own") / "hailong.db"
    with closing(Database(address(copy_sqlite(templates("sqlite"), file)))) as database:
        yield database


@pytest.fixture
def province(database: Database) -> SmallProvince:
    return SmallProvince.found(database)


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(database_url=database_url, cache_s=0)


@pytest.fixture(autouse=True, scope="module")
def usual_umask() -> Iterator[None]:
    """What a test's files are open to does not hang on the tests before it.

    A command keeps its files to itself, and so whatever process it ran in: a server's user could
    not read what a later test gave it.
    """
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def hailong(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Runs `hailong` in this process; what it printed, after its exit code was as expected.

    A process of its own for each of some hundred commands would take minutes; the last tests of
    ``tests/test_commands.py`` start it as a shell does.
    """
    monkeypatch.setenv("HAILONG_DATABASE_URL", database_url)
    monkeypatch.setattr(app.commands.out, "width", 200)

    def run(*arguments: object, code: int | tuple[int, ...] = 0) -> str:
        monkeypatch.setattr(sys, "argv", ["hailong", *map(str, arguments)])
        printed, complained = io.StringIO(), io.StringIO()
        before = os.umask(0o022)
        try:
            with (
                redirect_stdout(printed),
                redirect_stderr(complained),
                pytest.raises(SystemExit) as ended,
            ):
                main()
        finally:
            os.umask(before)  # a command keeps its files to itself, and so this process its own
        said = printed.getvalue() + complained.getvalue()
        expected = code if isinstance(code, tuple) else (code,)
        assert (ended.value.code or 0) in expected, said
        return printed.getvalue() if code == 0 else said

    return run


class _PromptServer(uvicorn.Server):
    """The real server, which looks more often whether it is to end, and ends without a pause.

    Five hundred tests start one each, and would wait a fifth of a second for its end.
    """

    async def main_loop(self) -> None:
        counter = 0
        while not await self.on_tick(counter):
            counter += 1
            await asyncio.sleep(0.01)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        if self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks, timeout=30)
        await self.lifespan.shutdown()


@contextmanager
def serving(
    settings: Settings,
    port: int = 0,
    wall: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Iterator[httpx.Client]:
    """The application behind a real HTTP server in a thread, and a client that knows where."""
    app = create_app(settings, wall)
    config = uvicorn.Config(
        app,
        port=port,
        log_config=None,
        access_log=False,
        http=BoundedProtocol,
        ws="none",
        timeout_keep_alive=settings.idle_s,
    )
    server = _PromptServer(config)
    thread = Thread(target=server.run)
    thread.start()
    try:
        until = time.monotonic() + 30
        while not server.started and time.monotonic() < until:
            time.sleep(0.005)
        port = server.servers[0].sockets[0].getsockname()[1]
        # Nothing is encrypted here; to be ready for it takes each client a fiftieth of a second.
        here = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=here, timeout=120, verify=False) as client:
            yield client
    finally:
        database = app.state.database
        pools = [engine.pool for engine in (database.engine, database._writing_engine)]
        server.should_exit = True
        thread.join(120)
        # What a task left in a thread is given back after the pools were closed. A process ends
        # with its connections; this one goes on, and others want the file.
        until = time.monotonic() + 5  # some wait for others, and for longer than anybody likes
        for pool in pools:
            while isinstance(pool, QueuePool) and pool.checkedout() and time.monotonic() < until:
                time.sleep(0.005)
            pool.dispose()


@pytest.fixture
def client(settings: Settings, province: SmallProvince) -> Iterator[httpx.Client]:
    with serving(settings) as client:
        yield client


@pytest.fixture
def month_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was answered just now is read when its month is over, and nothing is held back."""
    later = datetime.now(Settings().zone).date() + timedelta(days=31)
    monkeypatch.setattr(
        ReleaseRule, "of", classmethod(lambda cls, settings: cls(settings.least_respondents, later))
    )
