"""Islands far off stand in frames, so that the mainland has the map."""

import csv

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.reports.charts import comparison_charts
from app.reports.charts.insets import Frame, place
from tests.reports.charts.made_up import WORDS, rows, units
from tests.server import ROOT

ASPECT = 560 / 420
PLAN = ROOT / "app/demonstration/data/plan-2025-07-01.csv"
#: Where the communes of Bà Rịa – Vũng Tàu lie; Côn Đảo, the last, is 180 km off.
COMMUNES = [
    (float(row["longitude"]), float(row["latitude"]))
    for row in csv.DictReader(PLAN.open(encoding="utf-8"))
    if row["longitude"]
]


def size(points):
    width, height = np.ptp(np.array(points), axis=0)
    return max(width / ASPECT, height)


def test_an_island_far_off_leaves_the_map_to_the_mainland():
    found = place(COMMUNES, ASPECT)
    (frame,) = found.frames
    assert found.at[:-1] == COMMUNES[:-1] or np.allclose(found.at[:-1], COMMUNES[:-1])
    x, y = found.at[-1]
    assert frame.west < x < frame.east and frame.south < y < frame.north
    # South of all others, as it is, and near them.
    assert y < min(lat for _, lat in COMMUNES[:-1])
    assert size(COMMUNES[:-1]) > 0.7 * size([*found.at, *frame.corners()])
    assert size(COMMUNES[:-1]) < 0.35 * size(COMMUNES)


def test_what_is_not_squeezed_is_drawn_where_it_is():
    assert place(COMMUNES[:-1], ASPECT).frames == ()
    assert place(COMMUNES[-4:], ASPECT).at == COMMUNES[-4:]  # too few to say what is far
    assert place([], ASPECT).at == [] and place([(1.0, 2.0)] * 9, ASPECT).frames == ()
    halves = [(x, y + far) for far in (0, 5) for x, y in COMMUNES[:12]]
    assert place(halves, ASPECT).at == halves


@given(
    st.lists(st.tuples(st.floats(105, 108), st.floats(9, 12)), min_size=5, max_size=40),
    st.lists(st.tuples(st.floats(108, 116), st.floats(7, 17)), max_size=3),
)
def test_frames_touch_neither_one_another_nor_the_mainland(mainland, islands):
    found = place([*mainland, *islands], ASPECT)
    assert len(found.at) == len(mainland) + len(islands) and np.isfinite(found.at).all()
    for i, frame in enumerate(found.frames):
        assert not any(frame.touches(other) for other in found.frames[i + 1 :])
    if found.frames:
        still = [
            at
            for at, was in zip(found.at, [*mainland, *islands], strict=True)
            if np.allclose(at, was)
        ]
        (west, south), (east, north) = np.min(still, axis=0), np.max(still, axis=0)
        assert not any(f.touches(Frame(west, south, east, north)) for f in found.frames)


def test_the_note_of_a_map_says_so():
    drawn = []
    for places in (COMMUNES, COMMUNES[:-1]):
        found = rows(len(places))
        for row, (x, y) in zip(found, places, strict=True):
            row["longitude"], row["latitude"] = x, y
        drawn.append(comparison_charts.places(WORDS["vi"], units(found)))
    said = WORDS["vi"]("chart.map_frames")
    assert said in drawn[0].note and said not in drawn[1].note
    assert drawn[0].table.rows[-1][1] == "8,698"  # the table tells where it is
