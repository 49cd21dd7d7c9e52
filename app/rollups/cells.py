"""What a cell keeps, as a NumPy record whose fields add.

- ``respondents``: all respondents of the cell.
- ``sums``: int64 (factors + 1, 10), first row the whole index, then a row a factor of the index.
  Per respondent i: m_i answers given, a_i of them at a satisfied level, s_i the sum of their
  levels; the columns are named in ``SUMS``. From them come the rate with respondents as
  clusters, the mean score with its variance, and the wholly satisfied.
- ``counts``: uint32, for every item with levels or options one count a level (or option) and one
  for "no opinion", in the form's order (``Layout.slots``).
- ``moments``: int64 (numbers, 3), for every per cent and number the count, sum and sum of
  squares of its packed value (``Layout.numbers``; the value less its minimum, in its smallest
  step, plus one).
- ``forms``: uint32, how many forms were filled in how, in the columns of ``FORMS``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.registry.questionnaires import Published
from app.rollups.conduct import LEAST_ALIKE, Conduct
from surveys.answers import NO_OPINION
from surveys.model import (
    MultipleChoiceItem,
    NumberItem,
    PercentItem,
    RatedItem,
    SingleChoiceItem,
    ZeroToTenItem,
)

#: Columns of ``sums``: respondents who answered, Σa, Σm, Σa², Σam, Σm², Σs, Σs², Σsm, and the
#: respondents satisfied on everything that they answered.
SUMS = ("n", "a", "m", "aa", "am", "mm", "s", "ss", "sm", "whole")

#: Columns of ``forms``: how many forms each bit of ``Conduct`` is said of.
FORMS = tuple(Conduct)
_ABLE, _ALIKE = int(Conduct.ABLE), int(Conduct.ABLE | Conduct.ALIKE)

Cells = NDArray[np.void]


class Layout:
    """How the cells of one questionnaire version are laid out, and how responses add to them."""

    def __init__(self, version: Published) -> None:
        form, sheet = version.form, version.sheet
        self.factors = tuple(factor.code for factor in form.index_factors)
        columns = {column.item.code: column for column in sheet.columns}
        self._width = sheet.width

        #: Slot of each (item, answer) in ``counts``; the answer None is "no opinion".
        self.slots: dict[tuple[str, int | None], int] = {}
        #: Row of each per cent or number in ``moments``.
        self.numbers: dict[str, int] = {}
        one_byte: list[tuple[int, NDArray[np.int64]]] = []
        self._choices: list[tuple[str, list[tuple[int, int]], int]] = []
        for column in sheet.columns:
            item = column.item
            match item:
                case RatedItem() | SingleChoiceItem() | ZeroToTenItem():
                    slot_of_code = np.full(256, -1, dtype=np.int64)
                    for answer, code in column.codes.items():
                        slot_of_code[code] = self._new_slot(item.code, answer)
                    slot_of_code[NO_OPINION[1]] = self._new_slot(item.code, None)
                    one_byte.append((column.offset, slot_of_code))
                case MultipleChoiceItem():
                    bits = [(o.value - 1, self._new_slot(item.code, o.value)) for o in item.options]
                    self._choices.append((item.code, bits, self._new_slot(item.code, None)))
                case PercentItem() | NumberItem():
                    self.numbers[item.code] = len(self.numbers)
        count = len(self.slots)
        self._offsets = np.array([offset for offset, _ in one_byte], dtype=np.intp)
        # One slot past the end takes what is counted nowhere: "not answered".
        table = np.stack([slots for _, slots in one_byte])
        self._slot_of_code = np.where(table < 0, count, table)
        # Forms are counted with them, in slots after that one: by their bits, a column a bit.
        bits = np.arange(2 * max(FORMS))[:, None] & np.array(FORMS) > 0
        self._slots_of_conduct = np.where(bits, count + 1 + np.arange(len(FORMS)), count)
        self._codes_dtype = sheet.dtype
        self._number_widths = {code: columns[code].width for code in self.numbers}

        index = [
            (f, item)
            for f, factor in enumerate(form.index_factors, start=1)
            for item in form.index_items(factor)
        ]
        self._index_offsets = np.array([columns[item.code].offset for _, item in index])
        self._satisfied = np.zeros((len(index), 256), dtype=bool)
        membership = np.zeros((len(index), len(self.factors) + 1))
        for i, (factor, item) in enumerate(index):
            self._satisfied[i, list(form.scales[item.scale].satisfied)] = True
            membership[i, [0, factor]] = 1.0
        self._membership = membership

        self.dtype = np.dtype(
            [
                ("respondents", "<i8"),
                ("sums", "<i8", (len(self.factors) + 1, len(SUMS))),
                ("moments", "<i8", (len(self.numbers), 3)),
                ("counts", "<u4", (count,)),
                ("forms", "<u4", (len(FORMS),)),
            ]
        )

    def _new_slot(self, item: str, answer: int | None) -> int:
        self.slots[(item, answer)] = len(self.slots)
        return len(self.slots) - 1

    def row(self, factor: str | None) -> int:
        """The row of ``sums`` of a factor; of the whole index without one."""
        return 0 if factor is None else self.factors.index(factor) + 1

    def empty(self, n: int) -> Cells:
        """n cells without respondents."""
        return np.zeros(n, dtype=self.dtype)

    def unpack(self, packed: Sequence[bytes]) -> Cells:
        """Stored cells as one array, which is not to be changed."""
        return self.view(b"".join(packed))

    def view(self, packed: bytes | bytearray) -> Cells:
        """Stored cells, one after the other, as one array, not copied and not to be changed."""
        cells = np.frombuffer(packed, dtype=self.dtype)
        cells.flags.writeable = False
        return cells

    def tally(
        self,
        records: Sequence[bytes],
        cell_of: NDArray[np.intp],
        cells: int,
        conduct: Sequence[int] | None,
    ) -> Cells:
        """Add up packed answer records into cells.

        Parameters
        ----------
        records
            n answer records of this version.
        cell_of
            For each record the cell, 0 … cells − 1, shape (n,).
        cells
            How many cells to return.
        conduct
            For each record what its response says of itself (``conduct_of``); None where only
            answers are asked for, and ``forms`` stay empty.
        """
        tallied = self.empty(cells)
        n = len(records)
        if n == 0:
            return tallied
        raw = np.frombuffer(b"".join(records), dtype=np.uint8).reshape(n, self._width)
        tallied["respondents"] = np.bincount(cell_of, minlength=cells)
        sums, alike = self._sums(raw)
        _add(tallied["sums"], cell_of, sums)

        count, width = len(self.slots), len(self.slots) + 1
        slots = self._slot_of_code[np.arange(len(self._offsets)), raw[:, self._offsets]]
        if conduct is not None:
            width += len(FORMS)
            of_forms = self._slots_of_conduct[np.array(conduct, dtype=np.intp) | alike]
            slots = np.concatenate([slots, of_forms], axis=1)
        flat = (cell_of[:, None] * width + slots).ravel()
        counted = np.bincount(flat, minlength=cells * width).reshape(cells, width)
        tallied["counts"] = counted[:, :count]
        if conduct is not None:
            tallied["forms"] = counted[:, count + 1 :]

        if self._choices or self.numbers:
            self._tally_wide(raw, cell_of, tallied)
        return tallied

    def _sums(self, raw: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
        """The ``sums`` of each respondent alone, shape (n, factors + 1, 10), and who rated alike.

        That in the bits of ``Conduct``, shape (n,).
        """
        levels = raw[:, self._index_offsets]
        answered = (levels > 0) & (levels < NO_OPINION[1])
        satisfied = self._satisfied[np.arange(levels.shape[1]), levels]
        # In float64 the products use BLAS and are exact: the sums stay far below 2^53.
        m = answered.astype(np.float64) @ self._membership
        a = satisfied.astype(np.float64) @ self._membership
        rated = np.where(answered, levels, 0)
        s = rated.astype(np.float64) @ self._membership
        some = m > 0
        sums = np.empty((*m.shape, len(SUMS)), dtype=np.int64)
        for k, part in enumerate((some, a, m, a * a, a * m, m * m, s, s * s, s * m, a == m)):
            sums[..., k] = part
        sums[..., -1] &= some
        # Levels that sum to as many times the highest are all the highest.
        same = s[:, 0] == m[:, 0] * np.maximum.reduce(rated, axis=1, initial=0)
        alike = np.where(same, _ALIKE, _ABLE) * (m[:, 0] >= LEAST_ALIKE)
        return sums, alike

    def _tally_wide(
        self, raw: NDArray[np.uint8], cell_of: NDArray[np.intp], tallied: Cells
    ) -> None:
        table = raw.view(self._codes_dtype)[:, 0]
        for item, bits, no_opinion_slot in self._choices:
            chosen = table[item]
            no_opinion = chosen == NO_OPINION[4]
            tallied["counts"][:, no_opinion_slot] = _count(cell_of[no_opinion], len(tallied))
            for bit, slot in bits:
                with_it = (chosen >> bit & 1).astype(bool) & ~no_opinion
                tallied["counts"][:, slot] = _count(cell_of[with_it], len(tallied))
        for item, row in self.numbers.items():
            value = table[item].astype(np.int64)
            given = (value > 0) & (value < NO_OPINION[self._number_widths[item]])
            value = value[given]
            moments = np.stack([np.ones_like(value), value, value * value], axis=-1)
            _add(tallied["moments"][:, row], cell_of[given], moments)


@lru_cache(maxsize=256)
def layout_of(version: Published) -> Layout:
    """The layout of a version's cells, made once."""
    return Layout(version)


def add_up(cells: Cells, group_of: NDArray[np.intp], groups: int) -> Cells:
    """Sum cells of one layout into groups: a month, a district, a province."""
    total = np.zeros(groups, dtype=cells.dtype)
    for name in cells.dtype.names or ():
        _add(total[name], group_of, cells[name])
    return total


def plus(left: Cells, right: Cells) -> Cells:
    """Cell by cell sums of two arrays of one layout."""
    total = left.copy()  # which may be changed
    for name in total.dtype.names or ():
        total[name] += right[name]
    return total


def minus(left: Cells, right: Cells) -> Cells:
    """Cell by cell differences of two arrays of one layout; ``right`` was added to ``left``."""
    rest = left.copy()  # which may be changed
    for name in rest.dtype.names or ():
        rest[name] -= right[name]
    return rest


def _count(cell_of: NDArray[np.intp], cells: int) -> NDArray[np.intp]:
    return np.bincount(cell_of, minlength=cells)


def _add(into: NDArray[Any], group_of: NDArray[np.intp], values: NDArray[Any]) -> None:
    """``into[group] += value``, by sorting: many times faster than ``np.add.at`` on rows."""
    if len(values) == 0:
        return
    order = np.argsort(group_of, kind="stable")
    groups = group_of[order]
    starts = np.flatnonzero(np.r_[True, groups[1:] != groups[:-1]])
    into[groups[starts]] += np.add.reduceat(values[order], starts, axis=0, dtype=into.dtype)
