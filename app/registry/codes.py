"""The shape of codes that callers send."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

#: A code of a unit, a questionnaire or something of another system: printable, not long.
Code = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,64}$")]
