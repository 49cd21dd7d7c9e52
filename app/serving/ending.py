"""What a request is told that the server's end overtakes: to come again, not of a defect."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from fastapi import Request, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.problems import Problem
from app.serving.problems import ServerEnding

Answer = Callable[[Request, Problem], Awaitable[Response]]


class AnsweredAtEnd:
    """Answers, around everything that may wait, what the server gives up while it is ending.

    Uvicorn cancels what still runs after its patience, and would answer 500 for it, which a queue
    takes for a defect. What has begun to be answered is cut off.
    """

    def __init__(self, app: ASGIApp, answer: Answer) -> None:
        self._app, self._answer = app, answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except asyncio.CancelledError:
            if scope["type"] != "http" or begun:
                raise
            response = await self._answer(Request(scope), ServerEnding())
            await response(scope, receive, send)
