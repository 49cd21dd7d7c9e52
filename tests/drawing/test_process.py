"""The drawing process is renewed, may be killed, and draws what was drawn in the server itself."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import psutil
import pytest
import vl_convert

from app.drawing.process import DrawingFailed, DrawingProcess, UndrawableError
from app.reports.charts.drawing import LOCALES, VEGA_LITE

SPEC = json.dumps(
    {
        "data": {"values": [{"a": 0.5, "b": "Phường 1"}, {"a": 0.25, "b": "Xã Đông"}]},
        "mark": "bar",
        "encoding": {
            "x": {"field": "a", "type": "quantitative", "axis": {"format": ".1%"}},
            "y": {"field": "b", "type": "nominal"},
        },
    }
)
#: Begins nothing of JavaScript, so that it is there in a moment.
PAGE = "#set document(title: sys.inputs.content)\nA page about #sys.inputs.content"


@pytest.fixture
def drawing() -> Iterator[DrawingProcess]:
    process = DrawingProcess(most_jobs=3)
    yield process
    process.close()


@pytest.fixture
def template(tmp_path: Path) -> str:
    file = tmp_path / "page.typ"
    file.write_text(PAGE)
    return str(file)


def page(drawing: DrawingProcess, template: str, content: str = "one") -> bytes:
    return drawing.draw("pdf", template=template, content=content, standards=[])


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_what_is_drawn_is_what_the_library_draws_here(drawing: DrawingProcess, kind: str) -> None:
    locale = LOCALES["vi"]
    drawn = drawing.draw(kind, spec=SPEC, vl_version=VEGA_LITE, locale=locale)
    if kind == "svg":
        here = vl_convert.vegalite_to_svg(SPEC, vl_version=VEGA_LITE, format_locale=locale).encode()
        assert "50,0%" in here.decode()
    else:
        here = vl_convert.vegalite_to_png(SPEC, vl_version=VEGA_LITE, scale=2, format_locale=locale)
    assert drawn == here


def test_no_process_is_begun_before_something_is_drawn_and_none_stays_after_its_end(
    drawing: DrawingProcess, template: str
) -> None:
    assert drawing.pid is None
    assert page(drawing, template).startswith(b"%PDF")
    pid = drawing.pid
    assert pid is not None and psutil.Process(pid).is_running()
    drawing.close()
    assert not psutil.pid_exists(pid)


def test_it_is_renewed_after_so_many_drawings(drawing: DrawingProcess, template: str) -> None:
    pids = []
    for _ in range(6):
        page(drawing, template)
        pids.append(drawing.pid)
    assert pids[0] == pids[1] is not None and pids[2] is None
    assert pids[3] == pids[4] is not None and pids[5] is None
    assert pids[0] != pids[3]


def test_it_is_renewed_when_it_holds_much(template: str) -> None:
    drawing = DrawingProcess(most_kb=1)
    assert page(drawing, template).startswith(b"%PDF")
    assert drawing.pid is None


def test_killed_in_the_midst_one_drawing_fails_and_the_next_is_drawn(
    drawing: DrawingProcess, template: str
) -> None:
    page(drawing, template)
    pid = drawing.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    killer = Thread(target=lambda: (time.sleep(0.3), os.kill(pid, signal.SIGKILL)))
    killer.start()
    with pytest.raises(DrawingFailed) as failed:
        page(drawing, template)
    killer.join()
    assert failed.value.status == 503 and failed.value.passing
    assert int(failed.value.headers["Retry-After"]) > 0
    assert page(drawing, template).startswith(b"%PDF")
    assert drawing.failed == 1


def test_killed_while_it_waits_nobody_notices(drawing: DrawingProcess, template: str) -> None:
    page(drawing, template)
    pid = drawing.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    psutil.Process(pid).wait(10)
    assert page(drawing, template).startswith(b"%PDF")
    assert drawing.failed == 0


def test_one_that_does_not_answer_is_ended(template: str) -> None:
    drawing = DrawingProcess()
    page(drawing, template)  # to begin takes longer than to draw
    drawing.patience_s = 0.5
    pid = drawing.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(DrawingFailed):
        page(drawing, template)
    assert not psutil.pid_exists(pid)
    drawing.patience_s = 60
    assert page(drawing, template).startswith(b"%PDF")
    drawing.close()


def test_who_waits_too_long_for_the_drawings_before_is_told_to_come_again(template: str) -> None:
    drawing = DrawingProcess(queue_s=0.1)
    with drawing._lock, pytest.raises(DrawingFailed):
        page(drawing, template)
    assert page(drawing, template).startswith(b"%PDF")
    drawing.close()


def test_what_cannot_be_drawn_is_a_defect_and_ends_no_process(template: str) -> None:
    drawing = DrawingProcess()
    page(drawing, template)
    pid = drawing.pid
    with pytest.raises(UndrawableError, match="No such file"):
        page(drawing, template + ".not")
    assert page(drawing, template).startswith(b"%PDF")
    assert drawing.pid == pid is not None
    drawing.close()


def test_it_ends_with_the_process_that_began_it(drawing: DrawingProcess, template: str) -> None:
    page(drawing, template)
    pid, end = drawing.pid, drawing._end
    assert pid is not None and end is not None
    end.close()  # as when the server was killed
    assert psutil.Process(pid).wait(20) == 0


def test_it_imports_nothing_of_the_service(drawing: DrawingProcess, template: str) -> None:
    page(drawing, template)
    maps = Path(f"/proc/{drawing.pid}/maps").read_text()
    assert "typst" in maps
    assert not [name for name in ("numpy", "scipy", "pydantic", "psycopg") if name in maps]
