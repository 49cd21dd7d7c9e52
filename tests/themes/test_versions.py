"""Lists of themes are versions: the newest is in force for all months, and changes are audited."""

import json

import pytest
import yaml
from sqlalchemy import select

from app.audit.models import AuditEntry
from app.themes.model import Tone
from app.themes.reading import first_list, read_list, written
from app.themes.versions import (
    NoSuchThemeList,
    ThemeListChanged,
    history,
    in_force,
    set_list,
    version,
)

CHANGED = first_list().model_copy(update={"themes": first_list().themes[:3]})


def test_the_newest_is_in_force_and_those_before_are_kept(database):
    with database.reading() as session:
        assert in_force(session).number == 0
        assert in_force(session).themes == first_list()
    with database.writing("an@tinh.vn") as session:
        assert set_list(session, first_list(), "an@tinh.vn") == 0  # says the same
        number = set_list(session, CHANGED, "an@tinh.vn", before=0)
        with pytest.raises(ThemeListChanged):
            set_list(session, first_list(), "an@tinh.vn", before=0)
    with database.reading() as session:
        assert in_force(session).number == number and in_force(session).themes == CHANGED
        assert in_force(session).find("f", "i", "chờ lâu").has("waiting", Tone.BLAME)
        assert not in_force(session).find("f", "i", "nhà vệ sinh bẩn").has("cleanliness")
        assert [each.number for each in history(session)] == [number, 0]
        assert version(session, 0) == first_list() and version(session, number) == CHANGED
        with pytest.raises(NoSuchThemeList):
            version(session, number + 1)
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "themes.set")).one()
    details = json.loads(entry.details)
    assert (entry.actor, entry.subject) == ("an@tinh.vn", str(number))
    assert "cleanliness" in details["lost"] and details["added"] == []


def test_the_commands_hand_out_and_take_back(hailong, tmp_path):
    file, changed = tmp_path / "themes.yaml", tmp_path / "changed.yaml"
    hailong("themes", "export", file)
    assert read_list(file.read_bytes()) == first_list()
    assert "cannot be written" in hailong("themes", "export", file, code=1)
    changed.write_text(written(CHANGED), encoding="utf-8")
    assert "version 1 is in force" in hailong("themes", "import", changed)
    assert hailong("themes", "list").splitlines()[0].startswith("version 1: 20")
    wrong = yaml.safe_load(changed.read_text("utf-8")) | {"questions": []}
    changed.write_text(yaml.safe_dump(wrong), encoding="utf-8")
    assert "questions" in hailong("themes", "import", changed, code=1)
    assert "no such file" in hailong("themes", "import", tmp_path / "none", code=1)
    hailong("themes", "export", tmp_path / "old.yaml", "--version", 0)
    assert read_list((tmp_path / "old.yaml").read_bytes()) == first_list()
    assert "7" in hailong("themes", "export", tmp_path / "x.yaml", "--version", 7, code=1)
    assert not (tmp_path / "x.yaml").exists()
