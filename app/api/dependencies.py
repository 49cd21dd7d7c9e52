"""The figures that a server process keeps."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from app.dependencies import Shared
from app.figures.cache import Cache

CACHE = Shared[Cache]("answers")

CacheDependency = Annotated[Cache, Depends(CACHE)]
