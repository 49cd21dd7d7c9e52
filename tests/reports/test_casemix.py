"""Wards compared as if they had the same patients: on the page, against statsmodels."""

from contextlib import closing
from datetime import date

import numpy as np
import pytest
from scipy import stats
from statsmodels.regression.linear_model import OLS

from app.access.roles import Role
from app.db import Database
from app.messages.words import Words
from app.registry.models import Channel, Unit
from app.registry.points import current_code, open_point
from app.settings import Settings
from surveys.loader import FORMS, load_file
from tests.conftest import serving
from tests.databases import address, copy_sqlite
from tests.small_province import SmallProvince, body

FORM = load_file(FORMS / "moh-inpatient.yaml")
ITEMS = [item.code for factor in FORM.index_factors for item in FORM.index_items(factor)][:4]
ASKED = {"questionnaire": FORM.code, "period": "2026-Q3", "unit": "H1"}


def drawn():
    """Ward, age, sex, insurance (None for some) and levels; the old are kinder, and in W2."""
    rng = np.random.default_rng(9)
    for ward, middle in (("W1", 40), ("W2", 65)):
        for place in range(120):
            age = int(np.clip(rng.normal(middle, 12), 16, 95))
            satisfied = rng.random(len(ITEMS)) < 1 / (1 + np.exp(-(age - 40) / 18))
            levels = np.where(satisfied, 4, 2)
            sex, insured = int(rng.integers(1, 3)), int(rng.integers(1, 3))
            yield ward, place, age, sex, insured if place % 10 else None, levels.tolist()


SENT = list(drawn())


@pytest.fixture(scope="module")
def world(templates, tmp_path_factory):
    url = address(copy_sqlite(templates("sqlite"), tmp_path_factory.mktemp("wards") / "x.db"))
    with closing(Database(url)) as database:
        province = SmallProvince.found(database)
        with database.writing() as session:
            ward = Unit(
                code="W2", kind="ward", name_vi="Khoa W2", name_en="Ward W2",
                parent=session.get_one(Unit, province.units["H1"]), valid_from=date(2020, 1, 1),
            )  # fmt: skip
            session.add(ward)
            session.flush()
            point = open_point(session, ward, FORM.code, Channel.KIOSK, "W2")
            points = {
                "W1": province.points[("W1", FORM.code)],
                "W2": current_code(point),
            }
        with serving(Settings(database_url=url, cache_s=0)) as client:
            bodies = []
            for ward, place, age, sex, insured, levels in SENT:
                answers = dict(zip(ITEMS, levels, strict=True)) | {"age": age, "sex": sex}
                if insured is not None:
                    answers["insurance"] = insured
                at = f"2026-0{7 + place % 3}-{1 + place % 28:02}T09:00:00+07:00"
                bodies.append(
                    body(
                        points[ward], answers, questionnaire=FORM.code, version=FORM.version,
                        answered_at=at,
                    )
                )  # fmt: skip
            province.send(client, bodies)
            yield client, province


def by_statsmodels():
    """Adjusted shares of satisfied answers with their limits, and the crude ones."""
    rows = [each for each in SENT if each[4] is not None]
    y = np.array([np.mean(np.array(levels) >= 4) for *_, levels in rows])
    ward = np.array([ward == "W2" for ward, *_ in rows]).astype(int)
    x = np.array(
        [[age, sex == 1, insured == 1] for _, _, age, sex, insured, _ in rows], dtype=float
    )
    model = OLS(y, np.column_stack([np.eye(2)[ward], x - x.mean(axis=0)]))
    fit, n = model.fit(), np.bincount(ward)
    own = model.fit(cov_type="HC0").bse[:2] * np.sqrt(n / (n - 1))
    reach = np.maximum(
        stats.t.ppf(0.975, fit.df_resid) * fit.bse[:2], stats.t.ppf(0.975, n - 1) * own
    )
    assert reach[1] != reach[0]
    return [y[ward == w].mean() for w in (0, 1)], fit.params[:2], reach, len(rows)


def test_the_comparison_has_rates_as_if_all_had_the_same_patients(world):
    client, province = world
    view = client.get("/api/v1/views/comparison", params=ASKED, headers=province.reader()).json()
    found = view["casemix"]
    crude, adjusted, reach, complete = by_statsmodels()
    rows = {row["unit"]["code"]: row for row in found["rows"]}
    for w, code in enumerate(("W1", "W2")):
        assert rows[code]["raw"] == pytest.approx(crude[w])
        assert rows[code]["adjusted"] == pytest.approx(adjusted[w])
        assert rows[code]["low"] == pytest.approx(adjusted[w] - reach[w])
        assert rows[code]["high"] == pytest.approx(adjusted[w] + reach[w])
    # The young ward looks worse than it is.
    assert rows["W1"]["difference"] > 0.05 and rows["W2"]["difference"] < -0.05
    assert found["respondents"] == complete and found["left_out"] == len(SENT) - complete
    names = {row["adjuster"].partition("=")[0] for row in found["adjusters"]}
    assert names == {"age", "sex", "insurance"} and view["no_casemix"] is None


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_page_shows_them_beside_the_crude_ones(world, language):
    client, province = world
    words = Words(language, "H1")
    person = province.person((Role.PROVINCIAL_ANALYST, None))
    headers = {"Cookie": f"{person.headers['Cookie']}; language={language}"}
    page = client.get("/dashboard/comparison", params=ASKED | {"kind": "ward"}, headers=headers)
    assert page.status_code == 200
    crude, adjusted, _, complete = by_statsmodels()
    section = page.text.partition('id="casemix"')[2].partition("</section>")[0]
    for figure in (*crude, *adjusted):
        assert words.percent(float(figure)) in section
    assert words.number(complete) in section and words("tell.casemix_matters") in section
    assert words("tell.adjuster_age") in section


def test_forms_that_ask_no_patient_are_not_adjusted_and_few_are_said_to_be_few(world):
    client, province = world
    read = province.reader()
    asked = ASKED | {"questionnaire": "sipas-desk", "unit": "D1"}
    view = client.get("/api/v1/views/comparison", params=asked, headers=read).json()
    assert view["casemix"] is None and view["no_casemix"] is None
    after = ASKED | {"period": "2026-Q4"}
    view = client.get("/api/v1/views/comparison", params=after, headers=read).json()
    assert view["casemix"] is None and view["no_casemix"] == "too-few-respondents"
