"""The baseline: a FastAPI endpoint that validates the same body and does nothing with it."""

from __future__ import annotations

import sys
from typing import Any

import uvicorn
from fastapi import FastAPI

from app.intake.schemas import BatchIn, ResponseIn

app = FastAPI()


@app.post("/one", status_code=201)
async def one(body: ResponseIn) -> dict[str, Any]:
    """Validate one response."""
    return {"id": str(body.id), "status": "accepted"}


@app.post("/batch")
async def batch(body: BatchIn) -> dict[str, Any]:
    """Validate a batch."""
    return {"responses": [{"id": str(each.id), "status": "accepted"} for each in body.responses]}


@app.get("/readyz")
async def readyz() -> dict[str, str]:
    """Answer once the process is up."""
    return {"status": "ok"}


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[sys.argv.index("--port") + 1]), access_log=False)
