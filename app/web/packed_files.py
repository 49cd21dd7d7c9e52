"""Scripts and styles, compressed once a file: of a citizen's form they are the larger part."""

from __future__ import annotations

import gzip
from functools import lru_cache
from pathlib import Path

from fastapi.concurrency import run_in_threadpool
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.types import Scope

#: What is text, by the ends of its names; pictures are compressed already.
_TEXTS = (".css", ".js", ".svg")
#: What is smaller leaves in one packet either way.
_LEAST = 600
_VARY = {"Vary": "Accept-Encoding"}


class PackedFiles(StaticFiles):
    """Files of a folder, compressed for whoever takes that; a part of one is given as it is."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """A file's answer, or that it has not changed."""
        answer = await super().get_response(path, scope)
        if not path.endswith(_TEXTS):
            return answer
        answer.headers.update(_VARY)
        asked = Headers(scope=scope)
        if (
            not isinstance(answer, FileResponse)
            or "range" in asked
            or "gzip" not in asked.get("accept-encoding", "")
            or int(answer.headers["content-length"]) < _LEAST
        ):
            return answer
        etag = answer.headers["etag"]
        body = await run_in_threadpool(_packed, Path(answer.path), etag)
        headers = {
            # Of another form than the file itself, but of the same content.
            "ETag": f"W/{etag}",
            "Last-Modified": answer.headers["last-modified"],
            "Content-Encoding": "gzip",
            **_VARY,
        }
        return Response(body, media_type=answer.media_type, headers=headers)


@lru_cache(maxsize=128)
def _packed(file: Path, _etag: str) -> bytes:
    return gzip.compress(file.read_bytes(), 9, mtime=0)
