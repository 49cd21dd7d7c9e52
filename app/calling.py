"""Calls another system: one request, an end to all waiting, and nothing read but the status.

A time limit for each step alone has no end: an answer may come a byte at a time, for ever.
"""

from __future__ import annotations

import asyncio
import ssl

import httpx


async def status_of(
    request: httpx.Request, trusted: ssl.SSLContext, step_s: float, deadline_s: float
) -> int:
    """Make a call that was built before; the status of its answer, however much follows it.

    Raises
    ------
    TimeoutError
        Where there is no answer after ``deadline_s``; nobody knows what became of the call.
    httpx.HTTPError
        Where there is none for another reason.
    """
    async with (
        asyncio.timeout(deadline_s),
        httpx.AsyncClient(verify=trusted, timeout=step_s) as client,
    ):
        try:
            answer = await client.send(request, stream=True)
        except ExceptionGroup as several:  # of the tries to connect, as with a port that is none
            first = several.exceptions[0]
            raise httpx.ConnectError(f"{type(first).__name__}: {first}") from several
        await answer.aclose()
        return answer.status_code
