"""The baseline: FastAPI endpoints that validate the same body and do nothing with it.

Written as FastAPI's documentation teaches, with the models of the real endpoint for what comes
in and what goes out.
"""

from __future__ import annotations

import sys

import uvicorn
from fastapi import FastAPI

from app.intake.schemas import Acknowledged, BatchAcknowledged, BatchIn, ResponseIn

app = FastAPI()


@app.post("/one", status_code=201)
async def one(body: ResponseIn) -> Acknowledged:
    """Validate one response."""
    return Acknowledged(id=body.id, status="accepted")


@app.post("/batch")
async def batch(body: BatchIn) -> BatchAcknowledged:
    """Validate a batch."""
    return BatchAcknowledged(
        responses=[Acknowledged(id=each.id, status="accepted") for each in body.responses]
    )


@app.get("/readyz")
async def readyz() -> dict[str, str]:
    """Answer once the process is up."""
    return {"status": "ok"}


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[sys.argv.index("--port") + 1]), access_log=False)
