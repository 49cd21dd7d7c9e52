"""The real server with defects of every sort built in, whose messages hold what they failed on."""

import asyncio
import logging
import threading
import warnings

import httpx
from fastapi import Request
from fastapi.responses import StreamingResponse
from sqlalchemy import text

import app.main
from app.cli import main
from app.dependencies import DATABASE

build = app.main.create_app


def statement(database, said):
    with database.writing() as session:
        session.execute(
            text("INSERT INTO account (email, name) VALUES (:said, :said)"), {"said": said}
        )


def kept_twice(database, said):
    with database.writing() as session:
        for _ in range(2):
            session.execute(
                text("INSERT INTO server_secret (name, value) VALUES (:said, :said)"),
                {"said": said},
            )


async def never_asked(said):
    raise ValueError(said)


async def streamed(said):
    yield said
    raise ValueError(said)


async def break_by(sort, said, request):
    database = DATABASE.of(request)
    match sort:
        case "message":
            raise ValueError(f"cannot take {said}")
        case "key":
            raise KeyError(said)
        case "group":
            raise ExceptionGroup(said, [ValueError(said), OSError(2, said, said)])
        case "statement":
            await asyncio.to_thread(statement, database, said)
        case "kept_twice":
            await asyncio.to_thread(kept_twice, database, said)
        case "task":
            task = asyncio.create_task(never_asked(said), name=said)
            await asyncio.sleep(0.01)
            del task
        case "thread":
            threading.Thread(target=int, args=(said,), name=said).start()
        case "warning":
            warnings.warn(f"odd: {said}", stacklevel=1)
        case "logged":
            logging.getLogger("hailong").warning("could not take it: %s", ValueError(said))
        case "library":
            logging.getLogger("some.library").error("cannot send to %s", said)
            logging.getLogger("some.library").debug(said)
            async with httpx.AsyncClient() as client:
                try:
                    await client.get("http://127.0.0.1:9/", params={"said": said})
                except httpx.HTTPError as error:
                    raise RuntimeError(said) from error
        case "stream":
            return StreamingResponse(streamed(said))
    return {"ok": True}


def create_app():
    made = build()

    @made.get("/defect/{sort}/{said}")
    async def defect(sort: str, said: str, request: Request):
        return await break_by(sort, said, request)

    made.router.routes.insert(0, made.router.routes.pop())
    return made


app.main.create_app = create_app

if __name__ == "__main__":
    main()
