"""What the application does around its requests."""

from threading import Event

from app.reports.charts import drawing
from tests.conftest import serving


def test_charts_are_made_ready_once_the_server_stands(settings, monkeypatch):
    ready = Event()
    monkeypatch.setattr(drawing, "make_ready", ready.set)
    with serving(settings.model_copy(update={"charts_ready_s": 0.01})):
        assert ready.wait(20)
