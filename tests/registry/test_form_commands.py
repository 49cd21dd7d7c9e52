"""Forms go out by a command, and come in again by another, of each format."""

import json

import pytest
from typer.testing import CliRunner

from app.cli import cli
from surveys import check_file, load_directory, load_file
from surveys.formats import Format, write_form

FORM = load_directory()[("sipas-desk", 2)]


@pytest.fixture
def run(database, database_url, monkeypatch, tmp_path):
    """Runs a command on a database where our forms are published."""
    monkeypatch.setenv("HAILONG_DATABASE_URL", database_url)
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(cli, ["forms", *map(str, arguments)])


@pytest.fixture
def read(monkeypatch, tmp_path):
    """Runs a command that needs no database."""
    monkeypatch.setenv("HAILONG_DATABASE_URL", "sqlite:////nowhere/x.db")
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(cli, ["forms", "import", *map(str, arguments)])


def test_each_format_goes_out_and_comes_in_equal(run, tmp_path):
    for written_as in Format:
        out = run("export", FORM.code, FORM.version, "--format", written_as)
        assert out.exit_code == 0, out.output
        file = tmp_path / f"sipas-desk-2{written_as.suffix}"
        assert file.read_bytes() and f"{file.name} written" in out.stdout
        # What counts as satisfied no other program knows.
        assert "sipas-desk, scoring: Satisfied levels" in out.stderr
        back = run("import", file, "--out", f"{written_as}.yaml")
        assert back.exit_code == 0, back.output
        assert load_file(tmp_path / f"{written_as}.yaml") == FORM
        assert "0 things not carried" in back.stderr and "a sound form" in back.stderr
        file.unlink()


def test_nothing_is_written_over_nor_of_what_is_not_published(run, tmp_path):
    there = tmp_path / "sipas-desk-2.xlsx"
    there.write_text("mine", encoding="utf-8")
    for arguments, reason in (
        ((FORM.code, 2), f"{there.name} is there already"),
        ((FORM.code, 9), "no published version 9 of sipas-desk"),
        ((FORM.code, 2, "--out", "x.xlsx", "--language", "fr"), "--language is one of vi, en"),
    ):
        refused = run("export", *arguments)
        assert refused.exit_code == 1 and reason in str(refused.exception)
    assert there.read_text(encoding="utf-8") == "mine"
    assert list(tmp_path.glob("*.xlsx")) == [there]


def test_a_draft_goes_to_standard_output_and_what_is_lost_beside_it(read, tmp_path):
    survey = json.loads(write_form(FORM, Format.SURVEYJS).content)
    survey["pages"][0]["elements"].append({"type": "file", "name": "photo", "title": "Photo"})
    (tmp_path / "s.json").write_text(json.dumps(survey), encoding="utf-8")
    drafted = read("s.json", "--as", "mine")
    assert drafted.exit_code == 0, drafted.output
    (tmp_path / "mine.yaml").write_text(drafted.stdout, encoding="utf-8")
    assert load_file(tmp_path / "mine.yaml").code == "mine"
    assert "s.json, " in drafted.stderr and "photo" in drafted.stderr
    assert "1 things not carried" in drafted.stderr
    said = read("s.json", "--language", "vi", "--out", "vi.yaml").stderr
    assert "s.json, " in said and said != drafted.stderr


def test_a_form_without_a_scale_is_a_draft_that_says_so(read, tmp_path):
    survey = {"pages": [{"elements": [{"type": "text", "name": "q", "title": "Why?"}]}]}
    (tmp_path / "s.json").write_text(json.dumps(survey), encoding="utf-8")
    drafted = read("s.json", "--out", "draft.yaml")
    assert drafted.exit_code == 0 and "a draft that is no form yet" in drafted.stderr
    assert check_file(tmp_path / "draft.yaml")


def test_what_cannot_be_read_leaves_nothing(read, tmp_path):
    (tmp_path / "s.json").write_text('{"pages": [\n{,', encoding="utf-8")
    refused = read("s.json", "--out", "x.yaml")
    assert refused.exit_code == 1
    assert "s.json, row 2" in str(refused.exception)
    assert "Nothing was written" in str(refused.exception)
    assert not (tmp_path / "x.yaml").exists()
    assert "no such file" in str(read("none.xlsx").exception)
