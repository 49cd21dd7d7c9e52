"""Results with some of their fields, for tests of what is made from them."""

from __future__ import annotations

from collections.abc import Mapping
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel

R = TypeVar("R", bound=BaseModel)


def result(kind: type[R], fields: Mapping[str, Any]) -> R:
    """A result of a kind, nested ones too; what is not named is None. An unknown name fails."""
    known = {field.alias or name: (name, field) for name, field in kind.model_fields.items()}
    unknown = set(fields) - set(known) - set(kind.model_fields)
    assert not unknown, f"{kind.__name__} has no {sorted(unknown)}"
    return kind.model_construct(
        **{
            name: _made(field.annotation, fields.get(alias, fields.get(name)))
            for alias, (name, field) in known.items()
        }
    )


def _made(annotation: Any, value: Any) -> Any:
    if value is None or isinstance(value, BaseModel):
        return value
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        kinds = [each for each in get_args(annotation) if each is not type(None)]
        return _made(kinds[0], value) if len(kinds) == 1 else value
    if origin is list:
        return [_made(get_args(annotation)[0], each) for each in value]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return result(annotation, value)
    return value
