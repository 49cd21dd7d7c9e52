"""The one place where the judged code is put before the worlds.

``JUDGE`` takes a World and gives a Verdict (``tests/integrity/judging.py``): it hands
``world.responses`` to the detectors, one version and all months at once, and may read
``world.months``, ``world.month``, ``world.unit`` and ``world.answers.channel``; never ``truth``.
``world.responses.open`` is by each unit's own hours: where the service knows one day for all units,
the judge puts its ``open`` in its place. It must be a module's function, for other processes.
None as long as nothing is wired in: the promise is then not among those that are measured.
"""

from __future__ import annotations

from tests.integrity.judging import Judge

JUDGE: Judge | None = None
