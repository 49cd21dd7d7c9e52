"""Reads the environment anew only where it changed: settings are made by commands and requests."""

from __future__ import annotations

from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import EnvSettingsSource, PydanticBaseSettingsSource

#: By kind of source the variables that it last had, and what was read from them.
_last: dict[type, tuple[frozenset[tuple[str, str | None]], dict[str, Any]]] = {}


class Remembered(PydanticBaseSettingsSource):
    """What a source gives, looked for among all fields only where its variables are others.

    That takes five milliseconds for each source; to see whether one of them changed, none.
    """

    def __init__(self, source: EnvSettingsSource) -> None:
        super().__init__(source.settings_cls)
        self._source = source

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """As the source does."""
        return self._source.get_field_value(field, field_name)

    def __call__(self) -> dict[str, Any]:
        """The values by field."""
        prefix = self._source.env_prefix.lower()
        now = frozenset(
            (name, value)
            for name, value in self._source.env_vars.items()
            if name.lower().startswith(prefix)
        )
        kind = type(self._source)
        before, found = _last.get(kind, (None, {}))
        if before != now:
            found = self._source()
            _last[kind] = now, found
        return dict(found)
