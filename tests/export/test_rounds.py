"""The scripts of a folder that is exported into again: all its rounds, with what went left out."""

import json
import subprocess
import sys
from datetime import timedelta

import pytest

from app.access.callers import owner
from app.export.folder import export_to_folder
from app.export.formats import Format
from app.export.selection import Wish
from app.intake.models import Disposition, Response
from app.intake.setting_aside import Together, change_dispositions
from app.retention.withdrawing import withdraw_texts
from app.settings import Settings
from tests.export.conftest import LATER, NOW, answered, received
from tests.export.test_following import Copy
from tests.export.test_formats import needs_r
from tests.small_province import SmallProvince

OWNER = owner("a test")
WISH = Wish("sipas-desk", texts=True)
SAID = """
import analysis, json
x = analysis.responses
words = int(x["comment"].notna().sum())
rate = [float(v) for v in list(analysis.rate(analysis.x).values())[:4]]
print(json.dumps({"ids": sorted(x["response"]), "words": words, "rate": rate}))
"""
R_SAID = """
cat("\\n", jsonlite::toJSON(list(ids = sort(responses$response),
  words = sum(!is.na(responses$comment)), rate = unname(rate(people))[1:4]), digits = NA,
  auto_unbox = TRUE), "\\n", sep = "")
"""


@pytest.fixture(scope="module")
def rounds(own_database, tmp_path_factory):
    """Folders of two rounds by format, and what a fresh copy has afterwards."""
    database = own_database
    province = SmallProvince.found(database)
    drawn = answered(database, province)
    settings = Settings(database_url=database.url.render_as_string(hide_password=False))
    folders = {form: tmp_path_factory.mktemp(form.value)
               for form in (Format.CSV, Format.CSV_VI, Format.PARQUET)}  # fmt: skip

    def run(now):
        for form, folder in folders.items():
            export_to_folder(database, settings, OWNER, WISH, form, folder, "vi", now, page=7)

    run(LATER)
    desk = [id for id, (unit, form, _, _) in drawn.items() if (unit, form) == ("C2", "sipas-desk")]
    with database.writing() as session:
        change_dispositions(session, Together(1, NOW.date()), Disposition.COUNTED,
                            Disposition.DISTRUSTED, "x", Response.id.in_(desk))  # fmt: skip
        withdraw_texts(session, next(id for id, said in drawn.items() if "comment" in said[3]))
    more = answered(database, province, 8, seed=9)
    came = LATER + timedelta(minutes=30)  # the first round was read by a clock that is ahead
    with database.writing() as session:
        received(session, more, came)
    run(LATER + timedelta(hours=1))
    fresh = Copy(database, WISH, OWNER, 1000).follow(LATER + timedelta(hours=1)).rows
    return folders, fresh


def check(said, fresh):
    assert said["ids"] == sorted(fresh)
    assert said["words"] == sum(row["comment"] is not None for row in fresh.values()) > 0
    satisfied, answers = (
        sum(row[name] for row in fresh.values()) for name in ("index_satisfied", "index_answers")
    )
    assert said["rate"][0] == pytest.approx(satisfied / answers, rel=1e-12)


@pytest.mark.parametrize("form", [Format.CSV, Format.CSV_VI, Format.PARQUET])
def test_the_script_for_python_follows_all_rounds(rounds, form):
    folders, fresh = rounds
    ran = subprocess.run([sys.executable, "-W", "ignore", "-c", SAID], cwd=folders[form],
                         capture_output=True, text=True, check=False)  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    check(json.loads(ran.stdout), fresh)
    assert (folders[form] / "codebook.xml").read_text("utf-8").count("responses-0002") == 1


@needs_r
def test_the_script_for_r_follows_all_rounds(rounds):
    folders, fresh = rounds
    script = (folders[Format.CSV] / "analysis.R").read_text("utf-8") + R_SAID
    ran = subprocess.run(["Rscript", "-e", script], cwd=folders[Format.CSV], capture_output=True,
                         text=True, timeout=300, check=False)  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    check(json.loads(ran.stdout.splitlines()[-1]), fresh)
