"""What a request is told that the server's end overtakes."""

import asyncio
import contextlib

import pytest
from fastapi import Request
from fastapi.responses import JSONResponse

from app.problems import Problem
from app.serving.ending import AnsweredAtEnd

SCOPE = {"type": "http", "method": "POST", "path": "/api/v1/responses", "headers": []}


async def answer(request: Request, problem: Problem) -> JSONResponse:
    return JSONResponse(problem.document("en"), problem.status, problem.headers)


async def given_up(app):
    """What is sent by an application that is cancelled while it waits."""
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return await asyncio.Future()

    task = asyncio.create_task(AnsweredAtEnd(app, answer)(SCOPE, receive, send))
    await asyncio.sleep(0)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    return task.cancelled(), sent


async def waits(scope, receive, send):
    await receive()


async def begins(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await receive()


def test_a_request_that_is_given_up_is_told_to_come_again():
    cancelled, (start, body) = asyncio.run(given_up(waits))
    assert not cancelled and start["status"] == 503
    assert int(dict(start["headers"])[b"retry-after"]) > 0
    assert b"/problems/server-ending" in body["body"] and b'"retry":true' in body["body"]


def test_an_answer_that_has_begun_is_cut_off():
    cancelled, sent = asyncio.run(given_up(begins))
    assert cancelled and [message["status"] for message in sent] == [200]


def test_other_kinds_of_scope_are_none_of_its_business():
    async def lifespan():
        task = asyncio.create_task(
            AnsweredAtEnd(waits, answer)({"type": "lifespan"}, asyncio.Future, None)
        )
        await asyncio.sleep(0)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(lifespan())
