"""Cells keep just what a plain count over the respondents gives, for every published form."""

from datetime import UTC, datetime

import numpy as np
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from app.registry.questionnaires import Published
from app.rollups.cells import SUMS, add_up, layout_of, plus
from surveys import load_directory
from surveys.model import NumberItem, PercentItem
from tests.surveys.test_answers import EVERY_KIND, sheets_with_answers

NOW = datetime.now(UTC)
VERSIONS = {form.code: Published(n, form, NOW) for n, form in enumerate(load_directory().values())}
VERSIONS["every-kind"] = Published(99, EVERY_KIND, NOW)


def plain_sums(form, people, factors):
    """Σ over respondents, from the answers themselves."""
    items = [item for f in form.index_factors if f.code in factors for item in form.index_items(f)]
    total = dict.fromkeys(SUMS, 0)
    for answers in people:
        levels = [
            (answers[item.code], form.scales[item.scale].satisfied)
            for item in items
            if answers.get(item.code) is not None
        ]
        m, a, s = len(levels), sum(v in sat for v, sat in levels), sum(v for v, _ in levels)
        if not m:
            continue
        for name, value in (
            ("n", 1), ("a", a), ("m", m), ("aa", a * a), ("am", a * m), ("mm", m * m),
            ("s", s), ("ss", s * s), ("sm", s * m), ("whole", int(a == m)),
        ):  # fmt: skip
            total[name] += value
    return [total[name] for name in SUMS]


@st.composite
def people_of_one_form(draw):
    sheet, first = draw(sheets_with_answers())
    more = draw(
        st.lists(
            sheets_with_answers()
            .filter(lambda drawn: drawn[0] is sheet)
            .map(lambda drawn: drawn[1]),
            max_size=4,
        )
    )
    people = [first, *more]
    cells = draw(st.lists(st.integers(0, 2), min_size=len(people), max_size=len(people)))
    return sheet, people, cells


@given(people_of_one_form())
@hypothesis_settings(deadline=None, suppress_health_check=list(HealthCheck))
def test_a_tally_is_a_plain_count(drawn):
    sheet, people, cells = drawn
    form = sheet.form
    layout = layout_of(VERSIONS[form.code])
    records = [sheet.pack(answers)[0] for answers in people]
    tallied = layout.tally(records, np.array(cells), 3)
    for cell in range(3):
        here = [p for p, c in zip(people, cells, strict=True) if c == cell]
        kept = tallied[cell]
        assert kept["respondents"] == len(here)
        codes = [factor.code for factor in form.index_factors]
        assert kept["sums"][0].tolist() == plain_sums(form, here, codes)
        for factor in codes:
            assert kept["sums"][layout.row(factor)].tolist() == plain_sums(form, here, [factor])
        for (item, answer), slot in layout.slots.items():
            given_by = [p[item] for p in here if item in p]
            chosen = [
                answer in value if isinstance(value, list) else value == answer
                for value in given_by
            ]
            assert kept["counts"][slot] == sum(chosen), (item, answer)
        items = {item.code: item for item in form.items}
        for code, row in layout.numbers.items():
            item = items[code]
            assert isinstance(item, NumberItem | PercentItem)
            low = item.minimum if isinstance(item, NumberItem) else 0
            step = 10**item.decimals if isinstance(item, NumberItem) else 1
            packed = [round((p[code] - low) * step) + 1 for p in here if p.get(code) is not None]
            assert kept["moments"][row].tolist() == [
                len(packed),
                sum(packed),
                sum(v * v for v in packed),
            ]


@given(people_of_one_form())
@hypothesis_settings(deadline=None, suppress_health_check=list(HealthCheck))
def test_cells_add(drawn):
    sheet, people, cells = drawn
    layout = layout_of(VERSIONS[sheet.form.code])
    records = [sheet.pack(answers)[0] for answers in people]
    whole = layout.tally(records, np.zeros(len(people), dtype=np.intp), 1)
    parts = layout.tally(records, np.array(cells), 3)
    assert add_up(parts, np.zeros(3, dtype=np.intp), 1).tobytes() == whole.tobytes()
    stored = layout.unpack([part.tobytes() for part in parts])
    assert plus(plus(stored[:1], stored[1:2]), stored[2:]).tobytes() == whole.tobytes()
