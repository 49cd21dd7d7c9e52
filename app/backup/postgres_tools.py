"""PostgreSQL's own programs: where they are, as whom they run, and a server for a while."""

from __future__ import annotations

import os
import pwd
import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo
from sqlalchemy.engine import URL

from app.commands import Refused
from app.settings import Settings

#: Where Debian and its relatives keep the programs of each major version.
_DEBIAN = Path("/usr/lib/postgresql")
#: Names in an address that PostgreSQL's library knows by other ones than SQLAlchemy.
_PARTS = (("host", "host"), ("port", "port"), ("user", "username"), ("dbname", "database"))
#: How the server begins each line of its log; a program that it called does not.
_OWN_LINE = re.compile(r"^\d{4}-\d\d-\d\d .*\[\d+\]|\b(?:LOG|FATAL|PANIC|HINT|DETAIL):")
#: Lines of a program's complaint that are told, and what its frame is drawn with.
_MOST_LINES, _BORDER = 12, " │╭╰─╮╯"
#: Longest that a server may take for its start and its recovery, and for its end.
_START_S, _STOP_S = 6 * 3600, 300
#: What a server for a while does without: others must not reach it, and it outlives nothing.
_PRIVATE = {
    "listen_addresses": "",
    "port": "5432",
    "archive_mode": "off",
    "archive_command": "",
    "shared_preload_libraries": "",
    "ssl": "off",
    "logging_collector": "off",
    "log_destination": "stderr",
    "hot_standby": "off",
    "primary_conninfo": "",
    "synchronous_standby_names": "",
    "external_pid_file": "",
    "fsync": "off",
}


class ToolFailedError(Refused):
    """A program of PostgreSQL did not do what it was asked."""


@dataclass(frozen=True)
class Tools:
    """The programs of one major version."""

    folder: Path
    #: As whom a server runs: PostgreSQL refuses to run as root. None: as ourselves.
    user: str | None

    @classmethod
    def of(cls, major: int, program: str, settings: Settings) -> Tools:
        """The programs of a major version that have ``program`` among them.

        Raises
        ------
        Refused
            Where this machine has none; the sentence names those that it has.
        """
        others = set()
        for folder in _folders(settings):
            if not os.access(folder / program, os.X_OK):
                continue
            found = _major(folder / program)
            if found == major:
                root = os.geteuid() == 0
                return cls(folder, settings.postgres_user if root else None)
            others.add(found)
        there = f"here is only that of {', '.join(map(str, sorted(others)))}" if others else "none"
        raise Refused(
            f"{program} of PostgreSQL {major} is needed, as the server is of that version "
            f"({there}): install postgresql-{major}, or name its folder in HAILONG_POSTGRES_BIN"
        )

    def run(
        self,
        program: str,
        *arguments: str | Path,
        environment: Mapping[str, str] | None = None,
        as_server: bool = False,
    ) -> str:
        """Run a program to its end; what it printed.

        Raises
        ------
        ToolFailedError
            With the last lines that it complained in.
        """
        ended = subprocess.run(
            [str(self.folder / program), *map(str, arguments)],
            env={**os.environ, "LC_MESSAGES": "C", **(environment or {})},
            user=self.user if as_server else None,
            group=pwd.getpwnam(self.user).pw_gid if as_server and self.user else None,
            extra_groups=() if as_server and self.user else None,
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
        )
        if ended.returncode:
            lines = (ended.stderr or ended.stdout).strip().splitlines()[-3:]
            raise ToolFailedError(f"{program}: {' '.join(line.strip() for line in lines)}")
        return ended.stdout

    def works(self, program: str) -> bool:
        """Whether there is such a program, and it runs."""
        path = self.folder / program
        return os.access(path, os.X_OK) and _major(path) > 0

    def own(self, *paths: Path) -> None:
        """Give folders and what is in them to whom the server runs as."""
        if self.user is None:
            return
        entry = pwd.getpwnam(self.user)
        for path in paths:
            for each in (path, *path.rglob("*")):
                os.chown(each, entry.pw_uid, entry.pw_gid, follow_symlinks=False)


@dataclass(frozen=True)
class Temporary:
    """A server that was started here: its programs, its data, and the folder of its socket."""

    tools: Tools
    data: Path
    room: Path

    def address(self, database: URL) -> URL:
        """Where a database of the given address is found on this server."""
        return database.set(
            drivername="postgresql+psycopg",
            host=None,
            port=None,
            password=None,
            query={"host": str(self.room), "port": _PRIVATE["port"]},
        )


@contextmanager
def temporary_server(
    tools: Tools, data: Path, room: Path, database: URL, **options: str
) -> Iterator[Temporary]:
    """Start a server on a folder of data that only we can reach, and stop it in the end.

    ``room`` is a folder with a short name that is ours alone: socket, log and rules of access lie
    in it, since Debian keeps them elsewhere than in the data. Returns once recovery is over and
    the database of the address takes connections.

    Raises
    ------
    ToolFailedError
        Where it ends before that, with what it says of it.
    """
    (room / "hba.conf").write_text("local all all trust\n")
    (room / "ident.conf").write_text("")
    (room / "server.conf").write_text("")
    tools.own(room, data)
    # What stands on the command line wins over what the copied data were configured to.
    given = _PRIVATE | {
        "config_file": str(room / "server.conf"),
        "hba_file": str(room / "hba.conf"),
        "ident_file": str(room / "ident.conf"),
        "unix_socket_directories": str(room),
    } | options  # fmt: skip
    line = " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in given.items())
    log = room / "server.log"
    server = Temporary(tools, data, room)
    start(tools, data, log, line)
    try:
        wait_until_writable(tools, data, log, server.address(database))
        yield server
    finally:
        stop(tools, data)


def start(tools: Tools, data: Path, log: Path, options: str = "") -> None:
    """Start a server on its data; it may recover for a while yet."""
    more = ("-o", options) if options else ()
    try:
        tools.run(
            "pg_ctl", "-D", data, "-l", log, "-s", "-w", "-t", str(_START_S), *more, "start",
            as_server=True,
        )  # fmt: skip
    except ToolFailedError as error:
        raise ToolFailedError(f"PostgreSQL does not start: {last_words(log)}") from error


def stop(tools: Tools, data: Path) -> None:
    """Stop the server that runs on these data, if one does."""
    if runs(tools, data):
        tools.run(
            "pg_ctl", "-D", data, "-m", "fast", "-s", "-w", "-t", str(_STOP_S), "stop",
            as_server=True,
        )  # fmt: skip


def runs(tools: Tools, data: Path) -> bool:
    """Whether a server runs on these data."""
    try:
        tools.run("pg_ctl", "-D", data, "status", as_server=True)
    except ToolFailedError:
        return False
    return True


def wait_until_writable(tools: Tools, data: Path, log: Path, address: URL) -> None:
    """Return once recovery is over.

    Raises
    ------
    ToolFailedError
        Where the server ends before, with what it says of it.
    """
    until = time.monotonic() + _START_S
    while time.monotonic() < until:
        try:
            with connect(address, connect_timeout="10") as server:
                recovering = server.execute("SELECT pg_is_in_recovery()").fetchone()
                if recovering == (False,):
                    return
        except psycopg.OperationalError as error:
            if "does not exist" in str(error):
                raise ToolFailedError(str(error).strip()) from error
        if not runs(tools, data):
            raise ToolFailedError(f"PostgreSQL cannot recover: {last_words(log)}")
        time.sleep(0.2)
    raise ToolFailedError(f"PostgreSQL has not recovered after {_START_S} seconds")


def last_words(log: Path) -> str:
    """What a server that ended said last of why."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except OSError:
        return "it left no log"
    # What it said to those who called while it began or ended, ourselves among them, is no reason.
    lines = [line for line in lines if "the database system is " not in line]
    told = [line for line in lines if "FATAL:" in line or "PANIC:" in line] or lines
    if not told:
        return "it left no word"
    last = re.sub(r"^.*?(?=FATAL:|PANIC:)", "", told[-1])
    # Why a file of the journal could not be given back stands in the same log, before that: said
    # by us, or by the shell and Python where the program did not even start.
    if "could not restore" not in last:
        return last
    before = lines[: lines.index(told[-1])]
    why = " ".join(" ".join(line.strip(_BORDER) for line in _tail(before)).split())
    return f"{last} ({why})" if why else last


def _tail(lines: list[str]) -> list[str]:
    """What a program that the server called said last: the lines at the end of no other's."""
    own = [i for i, line in enumerate(lines) if _OWN_LINE.search(line)]
    return lines[own[-1] + 1 :][-_MOST_LINES:] if own else lines[-_MOST_LINES:]


def connect(address: URL, **options: str) -> psycopg.Connection[tuple[Any, ...]]:
    """A connection of our own, beside the pools: each statement is a transaction."""
    given = _conninfo(address) | options
    if address.password is not None:
        given["password"] = str(address.password)
    return psycopg.connect(make_conninfo("", **given), autocommit=True)


def for_tools(address: URL) -> tuple[str, dict[str, str]]:
    """An address for a program's command line, which all may read, and what they may not."""
    password = {"PGPASSWORD": str(address.password)} if address.password is not None else {}
    return make_conninfo("", **_conninfo(address)), password


def _conninfo(address: URL) -> dict[str, str]:
    given = {name: str(value) for name, value in address.query.items()}
    values = {name: getattr(address, part) for name, part in _PARTS}
    return given | {name: str(value) for name, value in values.items() if value is not None}


def _folders(settings: Settings) -> Iterator[Path]:
    if settings.postgres_bin is not None:
        yield settings.postgres_bin
        return  # who names a folder means no other
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        # Debian's programs on the path are one script that chooses a version by itself.
        path = Path(folder or ".") / "pg_ctl"
        if path.exists():
            yield path.resolve().parent
    if _DEBIAN.is_dir():
        yield from (folder / "bin" for folder in sorted(_DEBIAN.iterdir(), reverse=True))
    found = shutil.which("pg_dump")
    if found and Path(found).resolve().name == "pg_dump":
        yield Path(found).resolve().parent


def _major(program: Path) -> int:
    told = subprocess.run(
        [str(program), "--version"], capture_output=True, text=True, errors="replace"
    ).stdout
    found = re.search(r"\b(\d+)(?:\.\d+|devel|beta\d+|rc\d+)", told)
    return int(found[1]) if found else 0
