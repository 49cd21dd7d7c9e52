"""Cells keep just what a plain count over the respondents gives, for every published form."""

from collections import Counter
from datetime import UTC, datetime

import numpy as np
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from app.registry.questionnaires import Published
from app.rollups.cells import FORMS, SUMS, add_up, layout_of, plus
from app.rollups.conduct import Conduct, conduct_of
from surveys import load_directory
from surveys.model import NumberItem, PercentItem
from tests.surveys.test_answers import EVERY_KIND, sheets_with_answers

NOW = datetime.now(UTC)
VERSIONS = {form.code: Published(n, form, NOW) for n, form in enumerate(load_directory().values())}
VERSIONS["every-kind"] = Published(99, EVERY_KIND, NOW)


def plain_forms(form, people, said):
    """How many forms are what, from the answers and what is said of each."""
    items = [item.code for f in form.index_factors for item in form.index_items(f)]
    total = Counter()
    for answers, (duration_s, partial, language) in zip(people, said, strict=True):
        levels = [answers[code] for code in items if answers.get(code) is not None]
        total[Conduct.KNOWN] += 1
        total[Conduct.TIMED] += duration_s is not None
        total[Conduct.HASTY] += duration_s is not None and duration_s < 20
        total[Conduct.PARTIAL] += partial
        total[Conduct.ENGLISH] += language == "en"
        total[Conduct.ABLE] += len(levels) >= 5
        total[Conduct.ALIKE] += len(levels) >= 5 and len(set(levels)) == 1
    return [total[column] for column in FORMS]


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


#: What responses say of themselves: seconds, whether left unfinished, and the language.
SAID = st.tuples(
    st.one_of(st.none(), st.integers(0, 40)), st.booleans(), st.sampled_from(["vi", "en", "tay"])
)


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
    n = len(people)
    cells = draw(st.lists(st.integers(0, 2), min_size=n, max_size=n))
    return sheet, people, cells, draw(st.lists(SAID, min_size=n, max_size=n))


@given(people_of_one_form())
@hypothesis_settings(deadline=None, suppress_health_check=list(HealthCheck))
def test_a_tally_is_a_plain_count(drawn):
    sheet, people, cells, said = drawn
    form = sheet.form
    layout = layout_of(VERSIONS[form.code])
    records = [sheet.pack(answers)[0] for answers in people]
    tallied = layout.tally(records, np.array(cells), 3, [conduct_of(*each) for each in said])
    for cell in range(3):
        here = [p for p, c in zip(people, cells, strict=True) if c == cell]
        kept = tallied[cell]
        said_here = [each for each, c in zip(said, cells, strict=True) if c == cell]
        assert kept["forms"].tolist() == plain_forms(form, here, said_here)
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
    sheet, people, cells, said = drawn
    layout = layout_of(VERSIONS[sheet.form.code])
    records = [sheet.pack(answers)[0] for answers in people]
    conduct = [conduct_of(*each) for each in said]
    whole = layout.tally(records, np.zeros(len(people), dtype=np.intp), 1, conduct)
    parts = layout.tally(records, np.array(cells), 3, conduct)
    assert add_up(parts, np.zeros(3, dtype=np.intp), 1).tobytes() == whole.tobytes()
    stored = layout.unpack([part.tobytes() for part in parts])
    assert plus(plus(stored[:1], stored[1:2]), stored[2:]).tobytes() == whole.tobytes()


def test_who_rates_all_alike_is_counted_from_five_ratings_on_whoever_has_no_opinion_beside():
    version = VERSIONS["sipas-desk"]
    form, layout = version.form, layout_of(version)
    items = [item.code for f in form.index_factors for item in form.index_items(f)]
    people = [
        dict.fromkeys(items, 3),
        dict.fromkeys(items[:5], 1) | dict.fromkeys(items[5:]),
        dict.fromkeys(items[:4], 5),
        dict.fromkeys(items, 3) | {items[-1]: 4},
        {},
    ]
    records = [version.sheet.pack(answers, partial=True)[0] for answers in people]
    said = [conduct_of(19 + n, False, "vi") for n in range(5)]
    kept = layout.tally(records, np.arange(5), 5, said)
    told = {column: kept["forms"][:, n].tolist() for n, column in enumerate(FORMS)}
    assert told[Conduct.ABLE] == [1, 1, 0, 1, 0] and told[Conduct.ALIKE] == [1, 1, 0, 0, 0]
    assert told[Conduct.HASTY] == [1, 0, 0, 0, 0] and told[Conduct.TIMED] == [1] * 5
    assert not layout.tally(records, np.arange(5), 5, None)["forms"].any()
