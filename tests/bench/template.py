"""The baseline of a page: a template of one line by Starlette, as its documentation teaches."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.templating import Jinja2Templates

_folder = Path(tempfile.mkdtemp())
(_folder / "page.html").write_text("<p>{{ word }}</p>", "utf-8")
_templates = Jinja2Templates(directory=_folder)


async def page(request: Request) -> Response:
    """The page."""
    return _templates.TemplateResponse(request, "page.html", {"word": request.path_params["word"]})


async def readyz(request: Request) -> Response:
    """Answer once the process is up."""
    return PlainTextResponse("ok")


app = Starlette(routes=[Route("/page/{word}", page), Route("/readyz", readyz)])

if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[sys.argv.index("--port") + 1]), access_log=False)
