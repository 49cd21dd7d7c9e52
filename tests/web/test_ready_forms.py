"""A form that was made ready once is to the sign what would be filled in for each page."""

import gzip
import subprocess
from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.clock import local_today
from app.intake.page_tokens import OpenedPage
from app.registry.models import PointState
from app.registry.points import change_state, find_by_code
from app.registry.questionnaires import published
from app.web.citizen import surveys
from app.web.citizen.form_fields import FormFields
from app.web.citizen.ready_forms import (
    ReadyForm,
    ReadyForms,
    own_parts,
    parts_of_page,
    parts_of_point,
)
from app.web.citizen.shown import FormPage, Survey
from app.web.citizen.wishes import Wish
from app.web.pages import fill
from tests.conftest import serving

UNIT = """Trạm <y tế> "số 1" & 'số 2'"""


def pages(version, *, anew, synthetic):
    """Two pages of a version that have nothing in common but that."""
    survey = Survey("AB12CD3", "/q/AB12CD3", UNIT, "Station <1>", version, (version,), synthetic)
    first = FormPage(
        survey, FormFields(version.form), "0199-id", 1_790_000_000, "1790000000-aa-bb", {}, {},
        anew=anew, wish=Wish(code="CODE0"),
    )  # fmt: skip
    other = replace(survey, path="/i/QWERTYUIOPASDFGHJKLZXCVBNM", name_vi="B", name_en="B")
    return first, replace(first, survey=other, id="0", opened=5, token="", wish=Wish(code="x"))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_form_is_as_if_filled_in_for_the_page(database, province):
    forms, seen = ReadyForms(), 0
    with database.reading() as session:
        versions = published(session)
    for version, anew, synthetic in product(versions, (False, True), (False, True)):
        for language in version.form.spoken:
            for page in pages(version, anew=anew, synthetic=synthetic):
                survey, token = page.survey, OpenedPage("", page.opened, page.token)
                ready = forms.find(survey, language, anew=anew) or forms.make(
                    survey, language, anew=anew
                )
                own = own_parts(survey, language, page.id, token, page.wish.code)
                expected = fill("citizen/form.html", language, page).encode()
                assert ready.filled(own) == expected
                assert gzip.decompress(ready.packed(own)) == expected
                begun = ready.begun(parts_of_point(survey, language))
                drawn = parts_of_page(page.id, token, page.wish.code)
                assert gzip.decompress(begun.packed(drawn)) == expected
                assert {name for gap in begun.gaps for name in gap.names} == set(drawn)
                seen += 1
    assert seen > 40


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=6), st.data())
def test_a_stream_of_pieces_is_what_any_program_reads(pieces, data):
    names = tuple(data.draw(st.sampled_from("ab")) for _ in pieces[1:])
    own = {name: data.draw(st.binary(max_size=2000)) for name in "ab"}
    ready = ReadyForm(tuple(pieces), names)
    assert gzip.decompress(ready.packed(own)) == ready.filled(own)
    known = {name: own[name] for name in data.draw(st.sets(st.sampled_from("ab")))}
    assert gzip.decompress(ready.begun(known).packed(own)) == ready.filled(own)


def test_gzip_itself_reads_it(tmp_path):
    ready = ReadyForm((b"<p>" * 9000, b"</p>" * 9000, b""), ("a", "a"))
    read = subprocess.run(
        ["gzip", "-dc"], input=ready.packed({"a": b"hers"}), capture_output=True, check=True
    )
    assert read.stdout == ready.filled({"a": b"hers"}) and read.stderr == b""


def test_a_point_is_trusted_for_a_while_and_no_longer_than_its_day(
    settings, database, province, monkeypatch
):
    code = province.points[("C1", "sipas-desk")]
    with serving(settings.model_copy(update={"cache_s": 3600})) as client:
        assert client.get(f"/q/{code}").status_code == 200
        with database.writing() as session:
            change_state(session, find_by_code(session, code), PointState.PAUSED)
        assert client.get(f"/q/{code}").status_code == 200
        tomorrow = local_today(settings.zone) + timedelta(days=1)
        monkeypatch.setattr(surveys, "_day", lambda request, moment: tomorrow)
        assert client.get(f"/q/{code}").status_code == 403
