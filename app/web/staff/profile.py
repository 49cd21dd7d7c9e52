"""The page of one's own account: name, language, roles, password, sessions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool

from app.access import accounts, passwords, sessions
from app.access.callers import Person
from app.access.dependencies import PasswordQueueDependency
from app.access.doors import PageDoor
from app.access.models import Account, AccountSession
from app.access.password_queue import PasswordsBusy
from app.access.roles import HEADING
from app.audit.log import record
from app.dependencies import DATABASE, DatabaseDependency
from app.problems import InvalidFields
from app.web.pages import EMPTY, LANGUAGE_COOKIE, Form, Text, go_to, language_of, refused, render

router = APIRouter(prefix="/profile", include_in_schema=False)

MEMBERS = PageDoor(anyone_signed_in=True)
MEMBERS_OF_LATE = PageDoor(anyone_signed_in=True, recent=True)


@dataclass(frozen=True)
class ProfilePage:
    """One's account with its roles and sessions, and the two forms."""

    account: Account
    sessions: Sequence[AccountSession]
    here: int
    form: Form = EMPTY
    password_form: Form = EMPTY
    least_length: int = passwords.LEAST_LENGTH

    @property
    def heads(self) -> bool:
        """Whether the digest is sent to such an account, if it wants it."""
        return any(grant.role in HEADING for grant in self.account.grants)


@router.get("")
def profile(request: Request, caller: Annotated[Person, Depends(MEMBERS)]) -> Response:
    """Show one's own account. Who: whoever has signed in."""
    return _show(request, caller)


@router.post("")
def change(
    request: Request,
    caller: Annotated[Person, Depends(MEMBERS)],
    database: DatabaseDependency,
    name: Text = "",
    language: Text = "vi",
    digest: Text = "",
) -> Response:
    """Change one's own name and language, and whether one wants the digest. Who: whoever has
    signed in.
    """
    try:
        with database.writing(caller.name) as session:
            account = session.get_one(Account, caller.account_id)
            wanted = {"yes": True, "no": False}.get(digest)
            accounts.change_profile(session, account, name, language, digest=wanted)
    except InvalidFields as problem:
        form = refused(
            problem,
            language_of(request, caller),
            {"name": name, "language": language, "digest": digest},
        )
        return _show(request, caller, form=form, status=422)
    answer = go_to("/profile", "saved")
    answer.delete_cookie(LANGUAGE_COOKIE)  # the account's language counts from now on
    return answer


@router.post("/password")
async def change_password(
    request: Request,
    caller: Annotated[Person, Depends(MEMBERS_OF_LATE)],
    database: DatabaseDependency,
    queue: PasswordQueueDependency,
    password: Text = "",
    again: Text = "",
) -> Response:
    """Change one's own password; other sessions end. Who: whoever gave the old one lately."""

    def keep() -> None:
        hashed = accounts.hash_new_password(caller.email, caller.full_name, password, again)
        with database.writing(caller.name) as session:
            account = session.get_one(Account, caller.account_id)
            accounts.keep_password(session, account, hashed, keep=caller.session_id)

    try:
        await queue.run(keep)
    except (InvalidFields, PasswordsBusy) as problem:
        form, status = refused(problem, language_of(request, caller)), problem.status
        return await run_in_threadpool(
            lambda: _show(request, caller, password_form=form, status=status)
        )
    return go_to("/profile", "password_changed")


@router.post("/sessions/end")
def end_other_sessions(
    caller: Annotated[Person, Depends(MEMBERS)], database: DatabaseDependency
) -> Response:
    """Sign out everywhere else. Who: whoever has signed in."""
    with database.writing(caller.name) as session:
        sessions.end_all(session, caller.account_id or 0, but=caller.session_id)
        record(session, "account.end_sessions", caller.email)
    return go_to("/profile", "sessions_ended")


def _show(
    request: Request,
    caller: Person,
    *,
    form: Form = EMPTY,
    password_form: Form = EMPTY,
    status: int = 200,
) -> Response:
    database = DATABASE.of(request)
    with database.reading() as session:
        account = session.get_one(Account, caller.account_id)
        page = ProfilePage(
            account,
            sessions.of_account(session, account.id),
            caller.session_id,
            form,
            password_form,
        )
        return render(request, caller, "staff/profile.html", page, status)
