"""What the application does around its requests."""

from threading import Event

from app import main
from app.reports.charts import drawing
from tests.conftest import serving


def test_charts_are_made_ready_once_the_server_stands(settings, monkeypatch):
    ready = Event()
    monkeypatch.setattr(main, "_STARTED_AFTER_S", 0)
    monkeypatch.setattr(drawing, "make_ready", ready.set)
    with serving(settings):
        assert ready.wait(20)
