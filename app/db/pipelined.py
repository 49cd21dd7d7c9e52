"""Connections to PostgreSQL that send several statements at once, and wait for their answers once.

Each answer that is waited for costs a way there and back, and wakes the thread once more, for which
it must have the interpreter's lock again. So how a transaction begins, and what it writes without
asking anything, waits for the next statement or for the commit: all of that is sent together, by
libpq's pipeline mode, as one message. Where a statement of it fails, none that follows is done.

Amid a message the server is not idle, and waits for the rest of it for ever, with all that it has
locked, where it ends an idle transaction by itself (``app.db.connections``): so a message is put
together first and leaves without a pause, and nothing follows its end.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, LiteralString, Never, Self, TypeVar

import psycopg
from psycopg import Pipeline
from psycopg.abc import PipelineCommand, PQGen
from psycopg.pq import Format, TransactionStatus
from psycopg.waiting import Ready, Wait

T = TypeVar("T")
_Status = TransactionStatus


class LaterCursor(psycopg.Cursor[Any]):
    """Sends what waits in its connection before what it executes.

    Results come in PostgreSQL's binary format: cells arrive as bytes, not hexadecimal.
    """

    connection: LaterConnection

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.format = Format.BINARY

    def execute(self, *args: Any, **kwargs: Any) -> Self:
        """Execute a statement, after all that waits."""
        with self.connection.together():
            return super().execute(*args, **kwargs)

    def executemany(self, *args: Any, **kwargs: Any) -> None:
        """Execute a statement several times, after all that waits.

        The driver's own pipeline is followed by a word after its end (``_Message.close``), so a
        statement comes after it, from whose answer on the server looks at its clock again.
        """
        self.connection.send()
        super().executemany(*args, **kwargs)
        if self.connection.info.transaction_status == _Status.INTRANS:
            self.connection.execute("SELECT 1")

    def copy(self, *args: Any, **kwargs: Any) -> Any:
        """Copy rows, after all that waits."""
        self.connection.send()
        return super().copy(*args, **kwargs)

    def stream(self, *_args: Any, **_kwargs: Any) -> Never:
        """Not there: it would go before what waits, outside the transaction."""
        raise psycopg.NotSupportedError("streams are read by a server's cursor")


class LaterServerCursor(psycopg.ServerCursor[Any]):
    """Reads some rows at a time; what waits in its connection is sent before it is declared."""

    connection: LaterConnection

    def execute(self, *args: Any, **kwargs: Any) -> Self:
        """Declare it, after all that waits."""
        self.connection.send()
        return super().execute(*args, **kwargs)


class LaterConnection(psycopg.Connection[Any]):
    """A connection that can send several statements at once, and ends when its server is silent.

    Those that came by ``later`` are sent with the next that is executed, in their order, or with
    the commit. What fails among them is told there, as that statement's error, and nothing after
    it is done. Where one cannot be sent, none is, and all wait on.
    """

    patience_s: float | None = None
    fell_silent: Callable[[], None] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.server_cursor_factory = LaterServerCursor
        self._waiting: list[tuple[psycopg.Cursor[Any], LiteralString, Sequence[Any]]] = []
        #: Whether a transaction is to begin with the next statement.
        self._begins = False
        #: Whether a message is put together or ended, for which nobody waits.
        self._at_rest = False

    @property
    def takes_later(self) -> bool:
        """Whether statements may wait; where the driver has yet to begin, it waits for that."""
        return self.autocommit or self.info.transaction_status != _Status.IDLE

    def begin(self) -> None:
        """Begin a transaction, with its first statement; the driver must not do so itself."""
        self._begins = True

    def later(
        self, statement: LiteralString, parameters: Sequence[Any] = ()
    ) -> psycopg.Cursor[Any]:
        """A statement to be sent with the next one; the cursor that has its answer then."""
        assert self.takes_later
        cursor = self.cursor()
        self._waiting.append((cursor, statement, parameters))
        return cursor

    def has_waiting(self, cursor: psycopg.Cursor[Any]) -> bool:
        """Whether a cursor's statement was not sent yet."""
        return any(each is cursor for each, _, _ in self._waiting)

    def send(self) -> None:
        """Send what waits, and wait for its answers."""
        with self.together():
            pass

    @contextmanager
    def together(self) -> Iterator[None]:
        """Send what waits and the one statement that is executed within; then all are answered."""
        if self._at_rest or not (self._begins or self._waiting):
            yield
            return
        leaves = False
        try:
            with self.pipeline() as pipeline:
                message = _Message(pipeline)
                self._at_rest = True
                try:
                    if self._begins:
                        message.add(self.cursor(), "BEGIN")
                    for cursor, statement, parameters in self._waiting:
                        message.add(cursor, statement, parameters)
                    yield
                except BaseException:
                    message.close()
                    raise
                self._at_rest, self._begins, self._waiting = False, False, []
                leaves = True
                message.send()
                message.close()
                self._at_rest = True
        except BaseException as error:
            self._recover(error, leaves)
            raise
        finally:
            self._at_rest = False

    def _recover(self, error: BaseException, left: bool) -> None:
        """Put right what a failure leaves behind that a rollback does not; ``left``: some was sent.

        The driver takes for prepared what it was to prepare, also what was not sent or not done.
        It forgets that when it rolls back, which it does where the server has told of a failure
        amid a transaction. Where something else went wrong on the way, nobody knows what was done.
        """
        status = self.info.transaction_status
        if left and status == _Status.INERROR:
            return
        told = isinstance(error, psycopg.Error) and error.sqlstate is not None
        if (status == _Status.IDLE and told) or (not left and status != _Status.UNKNOWN):
            self._prepared.clear()
        else:
            self.close()

    def commit(self) -> None:
        """Commit what was executed and what waits; where that fails, all is undone."""
        if not self._waiting:
            self._begins = False  # nothing was done
            super().commit()
            return
        try:
            with self.together():
                self.cursor().execute("COMMIT")
        except BaseException:
            # SQLAlchemy takes for ended what it was to commit. What failed is told, not this.
            with suppress(psycopg.Error):
                self.rollback()
            raise

    def rollback(self) -> None:
        """Undo what was executed and forget what waits."""
        self._begins, self._waiting = False, []
        super().rollback()

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """Wait for the server as psycopg does, and give the connection up when it is silent.

        Raises
        ------
        psycopg.OperationalError
            The server did not answer in time. What it was asked for it may do nevertheless.
        """
        if self._at_rest:
            return _without_waiting(gen)
        if timeout is not None or self.patience_s is None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(_while_heard(gen, self.patience_s), interval)
        except _Silence:
            if not self.closed:
                self.close()
                if self.fell_silent is not None:
                    self.fell_silent()
            raise


class _Silence(psycopg.OperationalError):
    """Nothing was heard of the server for too long."""


class _Message(deque[PipelineCommand]):
    """The commands of a pipeline, held back until all leave without a pause.

    A pipeline would send each command by itself, and the end of the message after them.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        super().__init__()
        self._pipeline, self._held, self._holds = pipeline, list[PipelineCommand](), True
        pipeline.command_queue = self

    def append(self, command: PipelineCommand) -> None:
        """Hold a command back, until they have left."""
        if self._holds:
            self._held.append(command)
        else:
            super().append(command)

    def add(
        self,
        cursor: psycopg.Cursor[Any],
        statement: LiteralString,
        parameters: Sequence[Any] = (),
    ) -> None:
        """Add a statement, whose answer comes as soon as it is done: what is slow is not silent."""
        cursor.execute(statement, parameters)
        self.append(self._pipeline.pgconn.send_flush_request)

    def send(self) -> None:
        """Send all, and the end of the message; wait for all answers."""
        super().append(self._leave)
        self._pipeline.sync()

    def close(self) -> None:
        """Let the pipeline end without a word; what was not sent is not.

        It would ask for what is not sent yet, by a message after the last one's end, and for that
        PostgreSQL (to 18) forgets that it should end a transaction that is idle for too long.
        """
        self._pipeline.command_queue = _Nothing()
        self._pipeline.result_queue = _Nothing()

    def _leave(self) -> None:
        self._holds = False
        for command in self._held:
            command()
        self._flush()

    def _flush(self) -> None:
        """Come again until all has left: what is larger than the system takes at once goes on."""
        if self._pipeline.pgconn.flush():
            super().append(self._flush)


class _Nothing(deque[Any]):
    """Takes nothing."""

    def append(self, _: Any) -> None:
        """Forget it."""


def _while_heard(gen: PQGen[T], patience_s: float) -> PQGen[T]:
    """Go on with what waits, as long as something comes or goes: each answer has its time."""
    try:
        wanted = next(gen)
        until = time.monotonic() + patience_s
        while True:
            ready = yield wanted
            if ready:
                until = time.monotonic() + patience_s
            wanted = gen.send(ready)
            if not ready and time.monotonic() >= until:
                raise _Silence("the server did not answer in time")
    except StopIteration as end:
        made: T = end.value
        return made


def _without_waiting(gen: PQGen[T]) -> T:
    """Go on with what has nothing to send and nothing to receive yet."""
    try:
        wanted = next(gen)
        while wanted != Wait.R:
            wanted = gen.send(Ready.W)
    except StopIteration as end:
        made: T = end.value
        return made
    raise psycopg.InternalError("an answer is waited for amid a message")
