"""What had been withdrawn since a backup was made is withdrawn again in what is restored from it.

A key that was revoked, an account that was ended, a password that was taken away: all would be good
again. Where the database that is replaced can be read, and is the same one at a later time, it
tells. It only ever takes away: what was given since is not given again, for that may be the very
reason why a backup is restored. An invitation that was answered since is open again, as its answer
is lost.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from app.commands import Refused

_SAME_DATABASE = (
    "SELECT (SELECT hash FROM main.audit_entry WHERE id = 1) = "
    "(SELECT hash FROM later.audit_entry WHERE id = 1)"
)
#: What was withdrawn, and the statement that does it again.
_STATEMENTS = {
    "keys": """
        UPDATE credential SET revoked_at = its.revoked_at FROM later.credential AS its
        WHERE its.secret_hash = credential.secret_hash
        AND credential.revoked_at IS NULL AND its.revoked_at IS NOT NULL""",
    "accounts": """
        UPDATE account SET disabled_at = its.disabled_at FROM later.account AS its
        WHERE its.id = account.id AND its.email = account.email
        AND account.disabled_at IS NULL AND its.disabled_at IS NOT NULL""",
    "passwords": """
        UPDATE account SET password_hash = NULL FROM later.account AS its
        WHERE its.id = account.id AND its.email = account.email
        AND account.password_hash IS NOT its.password_hash
        AND account.password_hash IS NOT NULL""",
    "roles": """
        DELETE FROM role_grant WHERE NOT EXISTS (SELECT 1 FROM later.role_grant AS its
        WHERE its.account_id = role_grant.account_id AND its.role = role_grant.role
        AND its.unit_id IS role_grant.unit_id AND its.sector IS role_grant.sector)
        AND account_id IN (SELECT id FROM later.account)""",
    "codes": """
        UPDATE point_code SET replaced_at = its.replaced_at FROM later.point_code AS its
        WHERE its.code = point_code.code
        AND point_code.replaced_at IS NULL AND its.replaced_at IS NOT NULL""",
    "points": """
        UPDATE survey_point SET state = its.state, state_since = its.state_since
        FROM later.survey_point AS its
        WHERE its.id = survey_point.id AND its.state = 'revoked' AND survey_point.state <> 'revoked'
        """,
    "webhooks": """
        UPDATE webhook SET ended_at = its.ended_at FROM later.webhook AS its
        WHERE its.id = webhook.id AND its.secret = webhook.secret
        AND webhook.ended_at IS NULL AND its.ended_at IS NOT NULL""",
    "sms": """
        DELETE FROM sms_message WHERE NOT EXISTS (SELECT 1 FROM later.sms_message AS its
        WHERE its.id = sms_message.id AND its.phone = sms_message.phone
        AND its.body = sms_message.body)""",
    "deliveries": """
        DELETE FROM delivery WHERE NOT EXISTS (SELECT 1 FROM later.delivery AS its
        WHERE its.id = delivery.id AND its.body = delivery.body)""",
}


def is_same(later: Path, restored: Path) -> bool:
    """Whether two SQLite databases are one at different times.

    Raises
    ------
    Refused
        Where the later one cannot be read.
    """
    try:
        with closing(sqlite3.connect(f"file:{quote(str(restored))}?mode=rw", uri=True)) as here:
            here.execute("ATTACH ? AS later", (f"file:{quote(str(later))}?mode=rw",))
            return bool(here.execute(_SAME_DATABASE).fetchone() == (1,))
    except sqlite3.DatabaseError as error:
        raise Refused(f"{later} cannot be read: {error}") from error


def repeat(later: Path, restored: Path) -> dict[str, int]:
    """Withdraw in a restored SQLite database what the one that it replaces had; how much of each.

    Nothing where that is another database, as one that was begun anew.

    Raises
    ------
    Refused
        Where it cannot be read.
    """
    try:
        with closing(sqlite3.connect(f"file:{quote(str(restored))}?mode=rw", uri=True)) as here:
            here.isolation_level = None
            here.execute("ATTACH ? AS later", (f"file:{quote(str(later))}?mode=rw",))
            if here.execute(_SAME_DATABASE).fetchone() != (1,):
                return {}
            here.execute("BEGIN IMMEDIATE")
            done = {what: here.execute(each).rowcount for what, each in _STATEMENTS.items()}
            here.execute("COMMIT")
    except sqlite3.DatabaseError as error:
        raise Refused(f"{later} cannot be read: {error}") from error
    return {what: number for what, number in done.items() if number}
