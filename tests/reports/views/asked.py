"""Which views there are, and the half-year that they are asked about."""

PERIOD = "2026-H1"
VIEWS = ("overview", "units", "unit", "comparison", "sections", "items", "quality", "levels")
