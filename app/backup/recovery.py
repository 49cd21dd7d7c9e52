"""Brings a base backup to a moment: PostgreSQL replays the archived journal up to it.

PostgreSQL 12 and later recover where the folder of data has a file ``recovery.signal``; what they
recover to stands in their settings.
"""

from __future__ import annotations

import shlex
import shutil
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

from app.backup.postgres_tools import (
    ToolFailedError,
    Tools,
    connect,
    runs,
    start,
    wait_until_writable,
)
from app.backup.wal_commands import ABSENT, GIVE_UP
from app.commands import Refused
from app.settings import Settings

_TARGET_MISSED = "before configured recovery target was reached"
_WAIT_S = 6 * 3600
_ROOT = Path(__file__).parents[2]


def recover_into(
    tools: Tools,
    settings: Settings,
    unpack: Callable[[Path], None],
    *,
    since: datetime,
    until: datetime | None,
    key: Path | None,
    start_it: bool,
    tell: Callable[[str], None],
) -> None:
    """Make a base backup the server's data, and return once it has recovered.

    ``unpack`` writes it into a folder that is not there yet; ``since`` is when it was taken. The
    server is started where that is asked for; otherwise it is told how, and waited for.

    Raises
    ------
    Refused
        Where the server of these data still runs, or the moment cannot be reached.
    """
    data = settings.postgres_data
    if data is None:
        raise Refused("HAILONG_POSTGRES_DATA must name the folder of the server's data")
    if until is not None:
        until = until if until.tzinfo else until.replace(tzinfo=settings.zone)
        _check_reachable(settings, since, until)
    if runs(tools, data):
        raise Refused(f"a server runs on {data}: stop it first, and Hài Lòng before it")
    new = data.with_name(f"{data.name}.new-{_stamp()}")
    try:
        unpack(new)
        _order_recovery(new, settings, until, key)
        tools.own(new)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise
    if data.exists():
        aside = data.with_name(f"{data.name}.before-{_stamp()}")
        data.rename(aside)
        tell(f"what lay in {data} is kept as {aside}")
    new.rename(data)
    address = make_url(settings.database_url)
    if start_it:
        log = data.with_name(f"{data.name}.log")
        log.touch()
        tools.own(log)
        try:
            start(tools, data, log)
            wait_until_writable(tools, data, log, address)
        except ToolFailedError as error:
            if _TARGET_MISSED in str(error):
                raise Refused(
                    "the archive ends before that moment: choose an earlier one, or leave --until "
                    f"out to have all that it holds ({error})"
                ) from error
            raise
        return
    tell(f"The data lie ready in {data}. Start the server, as one of:")
    tell(f"  systemctl start postgresql@{_major(data)}-{data.name}")
    tell(f"  {shlex.join([str(tools.folder / 'pg_ctl'), '-D', str(data), 'start'])}")
    tell("This command goes on once the server has recovered and takes connections.")
    ends = time.monotonic() + _WAIT_S
    while time.monotonic() < ends:
        try:
            with connect(address, connect_timeout="10") as server:
                if server.execute("SELECT pg_is_in_recovery()").fetchone() == (False,):
                    return
        except psycopg.OperationalError:
            pass  # not started yet, or still recovering
        time.sleep(1)
    raise Refused(f"the server was not there after {_WAIT_S} seconds")


def _check_reachable(settings: Settings, since: datetime, until: datetime) -> None:
    if settings.wal_folder is None:
        raise Refused(
            "a moment can only be reached through the archive of the journal, and "
            "HAILONG_WAL_FOLDER names none"
        )
    if until < since:
        raise Refused(
            f"this backup was taken at {since.astimezone(settings.zone):%Y-%m-%d %H:%M:%S}, after "
            "that moment: choose an older one"
        )
    if until > datetime.now(UTC):
        raise Refused("that moment has not come yet")


def _order_recovery(
    data: Path, settings: Settings, until: datetime | None, key: Path | None
) -> None:
    """Have the server recover at its next start: as far as the archive leads, or to a moment."""
    if settings.wal_folder is None:
        return  # what came with the backup is all there is, and is replayed without being told
    moment = f"{until.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}+00" if until else ""
    # A former recovery may have left targets in the data; of two targets none would be taken.
    orders = dict.fromkeys(("_name", "_xid", "_lsn", ""), "")
    lines = [f"recovery_target{name} = ''" for name in orders]
    lines += [
        f"recovery_target_time = '{moment}'",
        "recovery_target_inclusive = on",
        "recovery_target_timeline = 'latest'",
        "recovery_target_action = 'promote'",
        f"restore_command = '{_restore_command(settings, key)}'",
    ]
    with (data / "postgresql.auto.conf").open("a") as stream:
        stream.write("# written by hailong restore\n" + "\n".join(lines) + "\n")
    (data / "recovery.signal").touch(mode=0o600)


def wal_commands() -> list[str]:
    """How the server, in its own folder and as its own user, runs the commands on its archive."""
    return [f"PYTHONPATH={_ROOT}", sys.executable, "-m", "app.backup.wal_commands"]


def _restore_command(settings: Settings, key: Path | None) -> str:
    """What the server runs for each file of the journal; in the quotes of its settings."""
    assert settings.wal_folder is not None
    words = [
        "env",
        f"HAILONG_WAL_FOLDER={settings.wal_folder.resolve()}",
        *wal_commands(),
        "fetch-wal",
        *(["--key", str(key.resolve())] if key else []),
    ]
    # Whatever ended otherwise than by finding or missing the file has said nothing of where the
    # journal ends. 143 is a server that stops: it knows of that itself.
    ends = f"case $? in 0|143) exit $?;; {ABSENT}) exit 1;; *) exit {GIVE_UP};; esac"
    command = f"{shlex.join(words)} %f %p; {ends}".replace("'", "''")
    # The server replaces %f, %p and %r wherever they stand.
    if any("%" in word for word in words):
        raise Refused("a % in the path of the archive, the key or this program is not understood")
    return command


def _major(data: Path) -> str:
    return (data / "PG_VERSION").read_text().strip()


def _stamp() -> str:
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
