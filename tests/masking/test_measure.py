"""Of labelled lines enough is found: of those on which the rules were tuned, and of those that
whoever made the rules has not seen, where these are there.
"""

import pytest

from tests.masking.measure import LINES, UNSEEN, Line, lines_of, tally

FILES = [file for file in (LINES, UNSEEN) if file.exists()]


@pytest.fixture(scope="module", params=FILES, ids=[file.name for file in FILES])
def counts(request):
    lines = lines_of(request.param)
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


def test_an_honorific_or_a_role_with_a_name_is_right_and_another_word_is_not(tmp_path):
    file = tmp_path / "lines.tsv"
    for line, start, right in (
        ("bà Huỳnh Thị Nguyệt ở quầy 2", 3, 1),
        ("cán bộ tư pháp Huỳnh Thị Nguyệt", 15, 1),
        ("tôi tên Đào Huỳnh Thị Nguyệt", 12, 0),
    ):
        file.write_text(f"{line}\t{start}:{start + 16}:staff\n", "utf-8")
        names = tally(lines_of(file))["names"]
        assert (names.found, names.recalled, names.right) == (1, 1, right), line


def test_whose_a_found_name_is_is_counted_by_itself(tmp_path):
    file = tmp_path / "lines.tsv"
    file.write_text("bác sĩ Hùng khám\t7:11:citizen\n", "utf-8")
    found = tally(lines_of(file))
    assert (found["names"].recalled, found["names"].right) == (1, 1)
    assert (found["whose citizen"].labelled, found["whose citizen"].recalled) == (1, 0)
    assert (found["whose staff"].found, found["whose staff"].right) == (1, 0)
