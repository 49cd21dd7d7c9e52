"""Files that are made whole before they leave (XLSX, SPSS, Stata): a process makes one at once.

Their memory is reckoned for each by itself (``app.export.labelled``), so two at once would have
twice of what is given. Whoever comes meanwhile is told when to come again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from app.export.formats import Format
from app.serving.problems import FiguresBusy

_place = BoundedSemaphore(1)
#: How long one takes about, in seconds, where it is large.
_EXPECTED_S = 30


class Making:
    """The place of a file that is made whole, until it is made; of other formats there is none."""

    def __init__(self, form: Format) -> None:
        """Take the place.

        Raises
        ------
        FiguresBusy
            Where another file has it.
        """
        self._held = False
        if not form.streams:
            if not _place.acquire(blocking=False):
                raise FiguresBusy(_EXPECTED_S)
            self._held = True

    def end(self) -> None:
        """Give the place back; again it does nothing."""
        if self._held:
            self._held = False
            _place.release()


@contextmanager
def making(form: Format) -> Iterator[Making]:
    """A file's place, which is given back at the end if it was not before."""
    place = Making(form)
    try:
        yield place
    finally:
        place.end()
