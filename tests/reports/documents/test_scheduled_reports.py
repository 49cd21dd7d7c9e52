"""Reports that are made by themselves, and by the command: each once, whole, and mailed."""

import socket
import sys
import threading
from email import message_from_bytes
from email.policy import default

import pytest
from aiosmtpd.controller import Controller

from app.access.callers import owner
from app.cli import main
from app.db import Database
from app.figures.periods import Length
from app.reports.documents import files, schedule
from app.reports.documents.files import Kind, Order, make
from app.settings import Settings
from tests.figures.district import COMMUNES, FELL, FORM

PERIOD = "2026-H1"


def test_what_was_cut_off_goes_on_where_it_stopped(world, tmp_path):
    database = world.province.database
    settings = Settings(database_url=str(database.url))
    orders = [Order(code, FORM.code, PERIOD, [Kind.XLSX]) for code in COMMUNES[:3]]
    made = make(database, owner("test"), settings, orders, tmp_path)
    next(made)
    made.close()  # as a kill does
    assert len(list(tmp_path.rglob("*.xlsx"))) == 1
    times = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.xlsx")}
    outcomes = list(make(database, owner("test"), settings, orders, tmp_path))
    assert [len(outcome.new) for outcome in outcomes] == [0, 1, 1]
    assert all(file.stat().st_mtime_ns == time for file, time in times.items())
    assert not list(tmp_path.rglob("*.part"))


def test_one_that_cannot_be_made_holds_up_no_other(world, tmp_path):
    database = world.province.database
    settings = Settings(database_url=str(database.url))
    orders = [Order(code, FORM.code, PERIOD, [Kind.XLSX]) for code in ("none", FELL)]
    first, second = make(database, owner("test"), settings, orders, tmp_path)
    assert first.problem is not None and first.problem.code == "unknown-unit"
    assert len(second.new) == 1


def test_a_full_disk_is_the_fault_of_the_report_alone_and_leaves_no_part(
    world, tmp_path, monkeypatch
):
    database = world.province.database
    settings = Settings(database_url=str(database.url))
    orders = [Order(code, FORM.code, PERIOD, [Kind.XLSX]) for code in COMMUNES[:2]]
    flushed = iter([OSError(28, "No space left on device"), None])

    def fsync(_):
        fault = next(flushed)
        if fault:
            raise fault

    monkeypatch.setattr(files.os, "fsync", fsync)
    first, second = make(database, owner("test"), settings, orders, tmp_path)
    assert "No space left" in str(first.error) and (first.files, first.problem) == ([], None)
    assert second.error is None and len(second.new) == 1
    assert [file.suffix for file in tmp_path.rglob("*.*")] == [".xlsx"]


@pytest.mark.parametrize(
    ("today", "length", "wait", "period"),
    [
        ("2026-10-05", Length.QUARTER, 5, "2026-Q2"),
        ("2026-10-06", Length.QUARTER, 5, "2026-Q3"),
        ("2026-01-01", Length.MONTH, 0, "2025-12"),
        ("2026-01-01", Length.MONTH, 1, "2025-11"),
        ("2026-01-02", Length.MONTH, 1, "2025-12"),
        ("2026-10-07", Length.NINE_MONTHS, 5, "2026-9M"),
        ("2026-09-30", Length.NINE_MONTHS, 0, "2025-9M"),
        ("2026-07-10", Length.HALF, 5, "2026-H1"),
        ("2026-12-31", Length.YEAR, 0, "2025"),
    ],
)
def test_the_period_that_is_due(today, length, wait, period):
    assert schedule.due(schedule.date.fromisoformat(today), length, wait) == period


class Mailbox:
    """Keeps what a real SMTP server takes."""

    def __init__(self):
        self.mails, self.lock = [], threading.Lock()

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - the protocol's name
        with self.lock:
            self.mails.append(
                (envelope.rcpt_tos, message_from_bytes(envelope.content, policy=default))
            )
        return "250 taken"


def test_the_schedule_makes_and_mails_what_is_due_once(world, tmp_path):
    mailbox = Mailbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        settings = Settings(
            database_url=str(world.province.database.url), report_folder=tmp_path,
            report_schedule="half", report_mail="ubnd@tinh.vn, soyte@tinh.vn",
            mail_server=f"smtp://127.0.0.1:{port}", mail_from="hailong@tinh.vn",
        )  # fmt: skip
        new = schedule.run(world.province.database, settings)
        again = schedule.run(world.province.database, settings)
    finally:
        controller.stop()
    assert new and again == []
    period = schedule.due(
        schedule.datetime.now(settings.zone).date(), Length.HALF, settings.report_after_days
    )
    assert all(period in file.name for file in new)
    assert {file.suffix for file in new} == {".pdf", ".xlsx"}
    assert len(mailbox.mails) == len(new) / 2
    to, mail = mailbox.mails[0]
    assert to == ["ubnd@tinh.vn", "soyte@tinh.vn"] and "77" in mail["Subject"]
    attached = {part.get_filename(): part.get_content() for part in mail.iter_attachments()}
    for name, content in attached.items():
        (file,) = [each for each in new if each.name == name]
        assert content == file.read_bytes()


def test_two_processes_do_not_make_them_twice(world, tmp_path):
    settings = Settings(report_folder=tmp_path, report_schedule="half")
    with schedule._alone(tmp_path) as alone:
        assert alone
        with schedule._alone(tmp_path) as second:
            assert not second
        assert schedule.run(Database(str(world.province.database.url)), settings) == []


def test_scheduled_reports_are_written_as_the_settings_say(world, tmp_path):
    assert schedule.kinds(Settings()) == [Kind.PDF, Kind.XLSX]
    settings = Settings(
        report_folder=tmp_path, report_schedule="half", report_formats="docx, xlsx ,docx"
    )
    assert schedule.kinds(settings) == [Kind.DOCX, Kind.XLSX]
    new = schedule.run(world.province.database, settings)
    assert {file.suffix for file in new} == {".docx", ".xlsx"}
    assert all(file.read_bytes().startswith(b"PK") for file in new)


def test_a_schedule_that_means_nothing_is_refused():
    with pytest.raises(ValueError, match="fortnight"):
        schedule.lengths(Settings(report_schedule="month, fortnight"))


@pytest.fixture
def command(world, monkeypatch, tmp_path, capsys):
    """Runs ``hailong report`` on the district's database."""

    def run(*arguments, **environment):
        url = world.province.database.url.render_as_string(hide_password=False)
        monkeypatch.setenv("HAILONG_DATABASE_URL", url)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(
            sys, "argv", ["hailong", "report", "--folder", str(tmp_path), *arguments]
        )
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return ended.value.code or 0, told.out + told.err

    return run


def test_the_command_writes_all_of_a_kind_and_goes_on(command, tmp_path):
    asked = ("--all", "--only", "district", "--only", "province", "--questionnaire", FORM.code,
             "--period", PERIOD, "--format", "xlsx")  # fmt: skip
    code, told = command(*asked)
    assert code == 0 and "2 files written" in told
    assert {file.name.split("-")[0] for file in tmp_path.rglob("*.xlsx")} == {"77", "D1"}
    code, told = command(*asked)
    assert code == 0 and "0 files written" in told and "2 were there already" in told


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "about which units"),
        (("--unit", "none"), "none"),
        (("--unit", FELL, "--period", "2026-13"), "2026-13"),
        (("--unit", FELL, "--language", "fr"), "fr"),
        (("--due",), "HAILONG_REPORT_FOLDER"),
    ],
)
def test_the_command_refuses_in_a_sentence(command, arguments, words):
    code, told = command(*arguments)
    assert code == 1 and words in told and "Traceback" not in told


def test_the_command_for_what_is_due_says_what_could_not_be_mailed(command, tmp_path):
    code, told = command(
        "--due", HAILONG_REPORT_FOLDER=str(tmp_path), HAILONG_REPORT_SCHEDULE="half",
        HAILONG_MAIL_SERVER="smtp://127.0.0.1:1", HAILONG_REPORT_MAIL="ubnd@tinh.vn",
    )  # fmt: skip
    assert code == 1 and "mail server: ConnectionRefusedError" in told
    assert " files written" in told and "0 files written" not in told and "Traceback" not in told
