"""People of whom everything is known, who answer a real server, and all that is kept after them."""

import base64
import hashlib
import json
import os
import re
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic, sleep

import httpx
from sqlalchemy import select, text

from app.access.buckets import network_of
from app.access.models import Right
from app.access.roles import Role
from app.backup import sealing
from app.backup.postgres_tools import Tools, for_tools
from app.cases.models import CaseSubject
from app.db import Base, Database
from app.intake.models import ReplyCode
from app.settings import Settings
from app.text_keys import TextKeys
from tests.backup.cluster import BIN
from tests.cases.sent import hash_of_code, new_code

#: What whoever wants to find somebody would look for.
CALLED = ("Nguyễn Thị Kín", "Trần Văn Giấu", "Lê Thị Lặng", "Phạm Văn Thầm", "Hoàng Thị Mật",
          "Vũ Văn Khuất", "Đặng Thị Ẩn", "Bùi Văn Che")  # fmt: skip
WORDS = "Tôi tên là {name}, số điện thoại {phone}, email {email}. Chờ lâu quá ở quầy số 3."
FURTHER = "Vẫn chậm, xin gọi cho tôi, tôi tên là {name}, số {phone}."


@dataclass
class Citizen:
    """Somebody with all that is known of her."""

    n: int
    name: str
    phone: str
    email: str
    address: str
    agent: str
    code: str = field(default_factory=new_code)
    token: str | None = None
    cookie: str = ""
    response: str = ""
    withdrawn: bool = False

    @property
    def traits(self):
        """What tells her from everybody else, apart from what her browser and she alone hold."""
        local = self.phone.replace(" ", "")
        return {
            self.name, self.phone, local, f"+84{local[1:]}", f"84{local[1:]}", self.email,
            self.address, network_of(self.address), self.agent,
        }  # fmt: skip


def citizens():
    return [
        Citizen(n, name, f"0987 65{n} 4{n}2", f"nguoi.{n}.kin@congdan.vn", f"203.0.113.{77 + n}",
                f"KinBrowser/{n}.7f")
        for n, name in enumerate(CALLED)
    ]  # fmt: skip


def hashed(trait):
    """All that a search without a key would look for: digests, whole and by their first 8 bytes."""
    found = set()
    for written in {trait, trait.lower(), trait.upper()}:
        data = written.encode()
        for name in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_256"):
            found.add(hashlib.new(name, data).digest()[:8])
        found |= {
            hashlib.blake2b(data, digest_size=size).digest()[:8] for size in (8, 16, 20, 32, 64)
        }
    return found


class Kept:
    """All that somebody holds: tables row by row, files byte by byte."""

    def __init__(self, database, files):
        self.cells = [
            (table.name, column.name, value)
            for table in Base.metadata.sorted_tables
            for row in self._rows(database, table)
            for column, value in zip(table.columns, row, strict=True)
            if value is not None
        ]  # fmt: skip
        self.files = {file.name: file.read_bytes() for file in files if file.is_file()}
        self._texts = [
            (f"{table}.{column}", value if isinstance(value, bytes) else str(value).encode())
            for table, column, value in self.cells
        ] + list(self.files.items())
        self._hay = b"\0".join(content for _, content in self._texts)
        self._lower = self._hay.lower()

    @staticmethod
    def _rows(database, table):
        with database.reading() as session:
            return session.execute(select(table)).all()

    def holds(self, trait):
        """Where a trait stands, in whatever way it may be written."""
        escaped = json.dumps(trait)[1:-1]
        ways = {trait, escaped, ascii(trait)[1:-1], base64.b64encode(trait.encode()).decode()}
        return self._where({way.encode().lower() for way in ways}, lower=True)

    def holds_hash(self, trait):
        """Where a digest of a trait stands: raw, in hexadecimal digits, or in base 64."""
        found = set()
        for first in hashed(trait):
            found |= {first, first.hex().encode(), base64.b64encode(first[:6])}
        return self._where(found, lower=False)

    def _where(self, needles, *, lower):
        hay = self._lower if lower else self._hay
        return {
            place
            for needle in needles
            if needle in hay
            for place, content in self._texts
            if needle in (content.lower() if lower else content)
        }


@dataclass
class World:
    """What was done, and what is kept of it."""

    database: Database
    settings: Settings
    people: list
    kept: Kept
    log: str
    #: When each answered, by number.
    answered: dict
    began: datetime
    keys: TextKeys
    #: How many transactions wrote both an invitation and a response, before rows were mixed.
    shared: int


def fill(client, path, **values):
    page = client.get(path)
    hidden = dict(re.findall(r'name="(id|opened|page|version)" value="([^"]+)"', page.text))
    answer = client.post(path, data=hidden | values)
    assert answer.status_code == 303, answer.text
    return hidden["id"]


def wait_for(condition, seconds=120):
    until = monotonic() + seconds
    while not condition():
        assert monotonic() < until
        sleep(0.1)


def live(server, database, province, people):
    """Let everybody answer, be replied to, write, withdraw; when each answered."""
    point = province.points[("C1", "sipas-desk")]
    invite = province.credential(Right.INVITE)
    desk = province.person((Role.CARE_DESK, "C1"), (Role.UNIT_HEAD, "D1"))
    answered = {}
    with httpx.Client(base_url=server.address, timeout=60) as staff:
        for each in people[4:]:
            case = {
                "case": f"H05.KIN.{each.n}", "unit": "C1", "point": point, "phone": each.phone,
                "finished_at": datetime.now(UTC).isoformat(),
            }  # fmt: skip
            made = staff.post("/api/v1/invitations", json=case, headers=invite)
            assert made.status_code == 201, made.text
            each.token = made.json()["link"].rpartition("/")[2]
        # In an order of its own: not as they were invited.
        for each in (people[0], people[6], people[1], people[4], people[2], people[7], people[3],
                     people[5]):  # fmt: skip
            headers = {"X-Forwarded-For": each.address, "User-Agent": each.agent}
            with httpx.Client(base_url=server.address, timeout=60, headers=headers) as phone:
                path = f"/i/{each.token}" if each.token else f"/q/{point}"
                said = WORDS.format(name=each.name, phone=each.phone, email=each.email)
                each.response = fill(
                    phone, path, reply_code_hash=hash_of_code(each.code),
                    **{"a.A1": str(1 + each.n % 2), "a.comment": said},
                )  # fmt: skip
                answered[each.n] = datetime.now(UTC)
                (each.cookie,) = (one.value for one in phone.cookies.jar)
            sleep(0.05)
        with database.reading() as session:
            wait_for(lambda: session.scalars(select(ReplyCode.opened)).all() == [True] * 8
                     or session.rollback())  # fmt: skip
        for id in cases_of(database).values():
            for act, more in (("take", {}), ("reply", {"text": "Đã mở thêm quầy."}),
                              ("note", {"text": "Đã hỏi tổ trưởng."})):  # fmt: skip
                answer = staff.post(f"/cases/{id}/{act}", data=more | desk.csrf,
                                    headers=desk.headers)  # fmt: skip
                assert answer.status_code == 303, answer.text
        for each in people:
            headers = {"X-Forwarded-For": each.address, "User-Agent": each.agent}
            with httpx.Client(base_url=server.address, timeout=60, headers=headers) as phone:
                assert phone.post("/c", data={"code": each.code}).status_code == 200
                assert phone.post("/c/answers", data={"code": each.code}).status_code == 200
                further = FURTHER.format(name=each.name, phone=each.phone)
                phone.post("/c/message", data={"code": each.code, "text": further})
                if each.n in (2, 7):
                    gone = {"code": each.code, "what": "all", "confirmed": "yes"}
                    assert phone.post("/c/withdraw", data=gone).status_code == 200
                    each.withdrawn = True
                elif each.n == 1:
                    gone = {"code": each.code, "what": "words", "confirmed": "yes"}
                    assert phone.post("/c/withdraw", data=gone).status_code == 200
    return answered


def cases_of(database):
    with database.reading() as session:
        rows = session.execute(select(CaseSubject.response_id, CaseSubject.case_id))
        return {row.response_id: row.case_id for row in rows}


def copies(database, hailong, folder, monkeypatch):
    """A backup, opened: all files of it."""
    if database.locks_whole_database:
        public, private = sealing.make_key()
        key = folder / "private.key"
        key.write_text(private)
        monkeypatch.setenv("HAILONG_BACKUP_KEYS", public)
        monkeypatch.setenv("HAILONG_BACKUP_FOLDER", str(folder / "backups"))
        hailong("backup")
        (file,) = (folder / "backups").glob("hailong-*")
        opened = folder / "opened"
        opened.mkdir()
        sealing.unseal(file, opened, key)
        return [*opened.rglob("*"), *(folder / "backups").glob("*.json")]
    dump = folder / "dump.sql"
    with database.reading() as session:
        major = int(session.scalar(text("SHOW server_version_num")) or 0) // 10_000
    address, more = for_tools(database.url)
    own = Settings(postgres_bin=BIN) if "hailong-postgres-" in address else Settings()
    tools = Tools.of(major, "pg_dump", own)
    made = subprocess.run(
        [str(tools.folder / "pg_dump"), "--dbname", address],
        capture_output=True,
        env=os.environ | more,
    )
    assert made.returncode == 0, made.stderr
    dump.write_bytes(made.stdout)
    return [dump]
