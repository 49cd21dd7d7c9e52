"""ODK Validate, which checks forms as ODK Collect does: of what we write, and of what is read."""

import io
import os
import shutil
import subprocess

import openpyxl
import pytest
from pyxform.xls2xform import convert

from surveys import load_directory
from surveys.formats import Format, odk, read_form, write_form
from surveys.formats.findings import Findings

needs_java = pytest.mark.skipif(
    shutil.which("java") is None and not os.environ.get("HAILONG_REQUIRE_ALL"),
    reason="Java is not installed",
)
OURS = load_directory()
SURVEY = [
    ("type", "name", "label", "relevant"),
    ("integer", "A1", "How many?", ""),
    ("integer", "A2", "How old?", "${A1} > 0"),
]


def book(*rows):
    made = openpyxl.Workbook()
    made.active.title = "survey"
    for row in rows:
        made.active.append(row)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def of_odk(draft):
    return [each for each in draft.not_carried if each.reason.startswith("formats.odk")]


@needs_java
def test_odk_validate_takes_every_questionnaire_that_we_ship(tmp_path):
    """All in one go: most of the time goes by until Java has started. The last one is refused."""
    files = []
    for form in OURS.values():
        written = write_form(form, Format.XLSFORM).content
        files.append(tmp_path / f"{form.code}-{form.version}.xml")
        files[-1].write_text(convert(io.BytesIO(written)).xform, "utf-8")
    broken = tmp_path / "broken.xml"
    broken.write_text(files[0].read_text("utf-8").replace("</h:body>", "", 1), "utf-8")
    ran = subprocess.run(
        odk.command([*files, broken], tmp_path), capture_output=True, text=True, check=False
    )
    assert ran.returncode == 1
    refused = ran.stderr.partition("The following files failed validation:")[2].splitlines()
    assert [line for line in refused if line.endswith(".xml")] == [str(broken)], ran.stderr
    assert (ran.stdout + ran.stderr).count("Xform is valid") == len(files)


@needs_java
def test_what_pyxform_is_silent_about_is_said_by_name():
    """A cycle: each of two questions is shown if the other was answered."""
    rows = [SURVEY[0], ("integer", "A1", "How many?", "${A2} > 0"), SURVEY[2]]
    (found,) = of_odk(read_form(book(*rows), "form.xlsx", odk=True))
    assert found.reason == "formats.odk"
    assert found.values["said"] == (
        "Cycle detected in form's relevant and calculation logic! "
        "The following nodes are likely involved in the loop: ${A1} ${A2}"
    )


@needs_java
def test_a_sound_form_is_complained_of_by_nobody():
    assert of_odk(read_form(book(*SURVEY), "form.xlsx", odk=True)) == []


@pytest.fixture
def java(tmp_path, monkeypatch):
    """A program that is found as Java, in place of it."""

    def put(script):
        program = tmp_path / "java"
        program.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    return put


def found_by(xform="<h:html/>", **more):
    findings = Findings()
    odk.check(xform, findings, **more)
    return [(each.reason, each.values.get("said")) for each in findings.all()]


def test_without_java_a_form_is_read_as_ever(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert found_by() == []
    assert of_odk(read_form(book(*SURVEY), "form.xlsx", odk=True)) == []


def test_it_is_not_run_unless_it_is_wanted(java, tmp_path):
    java(f"touch {tmp_path}/ran")
    read_form(book(*SURVEY), "form.xlsx")
    assert not (tmp_path / "ran").exists()
    read_form(book(*SURVEY), "form.xlsx", odk=True)
    assert (tmp_path / "ran").exists()


def test_a_java_that_hangs_is_ended_and_one_that_fails_is_told(java):
    java("exec sleep 600")
    assert found_by(timeout_s=0.5) == [("formats.odk_unchecked", None)]
    java("kill -9 $$")
    assert found_by() == [("formats.odk_unchecked", None)]
    said = r">> XForm is invalid.\njava.lang.RuntimeException: A2 is lost.\n\t... 9 more\n"
    java(f"printf '{said}' >&2; exit 1")
    assert found_by() == [("formats.odk", "A2 is lost.")]


def test_it_has_nothing_of_our_environment_and_no_room_to_shout(java, monkeypatch):
    monkeypatch.setenv("HAILONG_MAIL_PASSWORD", "secret")
    java("env >&2; yes 'word after word' | head -n 100000 >&2; seq 100 >&2; exit 1")
    ((reason, said),) = found_by()
    assert reason == "formats.odk" and "PATH=" in said and "secret" not in said
    assert len(said) <= 500


def test_its_time_and_what_it_writes_are_bounded_by_the_system_itself(java):
    """As whoever started it may be killed."""
    java('until [ "$(ulimit -f)" = 2048 ]; do sleep 0.1; done; ulimit -t >&2; exit 1')
    assert found_by() == [("formats.odk", "60")]


def test_a_form_that_opens_other_files_is_not_handed_over(java, tmp_path):
    java(f"touch {tmp_path}/ran")
    xform = '<?xml version="1.0"?><!DOCTYPE h [<!ENTITY a SYSTEM "file:///etc/passwd">]><h>&a;</h>'
    assert found_by(xform) == [("formats.odk_unchecked", None)]
    assert not (tmp_path / "ran").exists()
    # What stands in a workbook's words is text in the form, and opens nothing.
    rows = [SURVEY[0], ("integer", "A1", xform, "")]
    read_form(book(*rows), "form.xlsx", odk=True)
    assert (tmp_path / "ran").exists()
