"""The wish for a reply, as a citizen's page sends it: with the hash of her device's code.

A browser without script can hash nothing. For it a code stands in the page, drawn by the server
when the form is opened: it is sent back with the tick, shown in the answer, and kept as a hash as
every other. It comes with the page, as the response's id does, so that a form that is sent again
has the same code. The script draws its own and sends its hash; over plain http, where a browser
does not hash, it sends the code itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from fastapi import Request
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from app.access.tokens import hash_of
from app.cases.citizens import as_typed, new_code
from app.intake.reply_codes import codes_of

_HASH = re.compile(r"[0-9a-f]{64}")
#: Signs of a code as it is sent: no form of ours sends more.
_LONGEST = 80


@dataclass(frozen=True)
class Wish:
    """Whether a reply is wanted, and by which code it is to be read."""

    ticked: bool = False
    #: The page's code, which the server drew.
    code: str = field(default_factory=new_code)
    #: The hash of a code that the device drew, and did not send.
    device_hash: str | None = None

    @property
    def hash(self) -> str | None:
        """What is kept of the code; None where no reply is wanted."""
        if self.device_hash is not None:
            return self.device_hash
        return hash_of(self.code) if self.ticked else None

    @property
    def drawn_here(self) -> bool:
        """Whether a reply is wanted by the page's own code, which its citizen is to be shown."""
        return self.ticked and self.device_hash is None


def read(data: FormData) -> Wish:
    """The wish that a form sent; what is no code is drawn anew."""
    sent, made = data.get("reply_code"), data.get("reply_code_hash")
    device_hash = made if isinstance(made, str) and _HASH.fullmatch(made) else None
    code = as_typed(sent[:_LONGEST]) if isinstance(sent, str) else None
    return Wish("reply" in data or device_hash is not None, code or new_code(), device_hash)


def is_kept(session: Session, id: str, wish: Wish) -> bool:
    """Whether the response of this id, as it is stored, has the code of a wish."""
    return codes_of(session, [id]).get(id) == wish.hash


def by_script(request: Request) -> bool:
    """Whether our script sends the form, and wants to be told where to go on."""
    return request.headers.get("accept") == "application/json"
