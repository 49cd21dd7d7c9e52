"""Arrow, loaded by whoever exports first: of a server's memory it is an eighth.

So no module of this room uses it while it is imported, and kinds of columns stand there by Arrow's
names for them (``pa.type_for_alias``).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.compute as pc
else:

    class _Deferred:
        def __init__(self, name: str, *parts: str) -> None:
            self._name, self._parts = name, parts

        def __getattr__(self, name: str) -> Any:
            if name.startswith("_"):  # as a copy that is being made asks, before it has anything
                raise AttributeError(name)
            found = getattr(import_module(self._name), name, None)
            if found is None and name in self._parts:
                found = import_module(f"{self._name}.{name}")
            if found is None:
                raise AttributeError(f"{self._name} has no {name}")
            setattr(self, name, found)
            return found

    pa = _Deferred("pyarrow", "csv", "parquet")
    pc = _Deferred("pyarrow.compute")

__all__ = ["pa", "pc"]
