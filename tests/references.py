"""Reference figures computed by others; tests/data/README.md says by whom."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "data/references"


def reference(name: str) -> dict[str, Any]:
    """Inputs and outputs of one reference computation."""
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return found
