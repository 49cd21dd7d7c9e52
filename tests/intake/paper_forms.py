"""Paper forms as clerks type them, and the command that reads them."""

import csv
from datetime import datetime
from zoneinfo import ZoneInfo

from openpyxl import Workbook
from sqlalchemy import select

from app.intake.models import Response

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


def stored(database):
    with database.reading() as session:
        rows = session.scalars(select(Response).order_by(Response.answered_at, Response.id)).all()
        session.expunge_all()
        return rows


def write(file, rows):
    if file.suffix == ".xlsx":
        book = Workbook()
        for row in rows:
            book.active.append(row)
        book.active["B2"] = datetime(2026, 10, 24)
        book.save(file)
        return
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(["" if c is None else c for c in row] for row in rows)


def imported(run, file, rows, *arguments):
    """The file with these rows, run through the command: what it said, and the mistakes named."""
    write(file, rows)
    _, said = run(file, "--questionnaire", "sipas-desk", *arguments)
    errors = file.with_name(file.name + ".errors.csv")
    if not errors.exists():
        return said, []
    with errors.open(encoding="utf-8-sig", newline="") as stream:
        return said, list(csv.DictReader(stream))
