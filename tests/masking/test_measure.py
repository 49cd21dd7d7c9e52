"""Of lines that somebody wrote and labelled who had not seen the rules enough is found."""

import pytest

from tests.masking.measure import LINES, Line, lines_of, tally


@pytest.fixture(scope="module")
def counts():
    lines = lines_of(LINES)
    assert len(lines) >= 400
    return tally(lines)


@pytest.mark.parametrize(("what", "recall"), [("numbers", 0.95), ("names", 0.8)])
def test_enough_is_found_and_little_besides(counts, what, recall):
    found = counts[what]
    assert found.labelled >= 50
    assert found.recall >= recall, found.missed
    assert found.precision >= 0.9, found.wrong


def test_the_measure_counts_what_is_missed_and_what_is_wrong(tmp_path):
    file = tmp_path / "lines.tsv"
    file.write_text(
        "line\tspans\n"
        "gọi 0912345678\t4:14:phone\n"
        "bác sĩ Hùng khám\t7:11:staff\n"
        "chờ lâu\t0:3:citizen\n"
        "cmnd 123456789\t\n",
        "utf-8",
    )
    found = tally(lines_of(file))
    assert (found["numbers"].labelled, found["numbers"].recalled) == (1, 1)
    assert (found["numbers"].found, found["numbers"].right) == (2, 1)
    assert (found["names"].labelled, found["names"].recalled, found["names"].right) == (2, 1, 1)
    file.write_text("x\t0:9:phone\n", "utf-8")
    with pytest.raises(ValueError, match="outside"):
        lines_of(file)
    assert tally([Line("chờ", [])]) == {}
