"""Writes the register of processing as a page of Markdown, in Vietnamese or English."""

from __future__ import annotations

from collections.abc import Iterator

from app.access.accounts import LINK_DAYS
from app.data_protection.register import About, Kept, Recipient, Register
from app.messages import Language, say
from app.settings import Settings

#: Headings of a table, what only the office knows, and the steps when data have leaked.
COLUMNS = ("table", "data", "why", "kept")
FILLED = ("controller", "basis", "assessment")
LEAK_STEPS = range(1, 7)
#: What is kept for so many months, with the setting that says so.
MONTHS = {
    "responses": "keep_responses_months",
    "texts": "keep_texts_months",
    "aside": "keep_aside_months",
    "invitations": "keep_invitations_months",
}
#: What may be said of how data are guarded.
GUARDS = (
    "small_cells", "https", "no_https", "sealed", "unsealed", "backups", "no_backups", "heads",
    "no_heads", "access_log", "no_access_log", "passwords",
)  # fmt: skip


def written(register: Register, language: Language) -> str:
    """The register as Markdown; what only the office knows stands in brackets to be filled in."""
    return "\n".join(_lines(register, language)) + "\n"


def _lines(register: Register, language: Language) -> Iterator[str]:
    def words(key: str, **values: object) -> str:
        return say(f"protection.{key}", language, **values)

    yield f"# {words('title')}"
    yield ""
    yield words("law")
    yield ""
    for part in FILLED:
        yield f"- **{words(f'fill.{part}')}**: {words('blank')}"
    for about in About:
        yield ""
        yield f"## {words(f'about.{about}')}"
        yield ""
        yield f"| {' | '.join(words(f'column.{name}') for name in COLUMNS)} |"
        yield "|" + "---|" * len(COLUMNS)
        for name, table in register.schema.tables.items():
            if table.about is about:
                yield _row(name, table, register.settings, language)
    yield ""
    yield words("nobody", tables=", ".join(f"`{name}`" for name in register.schema.nobody))
    yield ""
    yield f"## {words('readers')}"
    yield ""
    for right, roles in register.readers.items():
        named = ", ".join(say(f"role.{role}", language) for role in roles)
        yield f"- `{right.value}`: {named}"
    yield ""
    yield f"## {words('recipients')}"
    yield ""
    yield from (_recipient(each, language) for each in register.recipients)
    if not register.recipients:
        yield words("no_recipients")
    yield ""
    yield f"## {words('guarded')}"
    yield ""
    yield from (f"- {words(f'guard.{name}', **values)}" for name, values in _guards(register))
    yield ""
    yield f"## {words('rights')}"
    yield ""
    yield words("rights_text")
    yield ""
    yield f"## {words('leak')}"
    yield ""
    yield from (f"{n}. {words(f'leak_steps.{n}')}" for n in LEAK_STEPS)


def _row(name: str, table: Kept, settings: Settings, language: Language) -> str:
    data = "; ".join(
        f"{say(f'protection.data.{each}', language)} ({', '.join(table.columns(each))})"
        for each in table.data
    )
    why = say(f"protection.why.{table.why}", language)
    return f"| `{name}` | {data or '–'} | {why} | {kept_for(table.kept, settings, language)} |"


def kept_for(kept: str, settings: Settings, language: Language) -> str:
    """How long something is kept, in words, by the settings."""
    if kept in MONTHS:
        number = getattr(settings, MONTHS[kept])
        if number is None:
            return say("protection.kept.without_end", language)
        return say("protection.kept.months", language, months=number)
    values: dict[str, object] = {
        "sms": {"days": settings.dead_letter_days},
        "links": {"days": LINK_DAYS},
        "sessions": {"hours": max(1, round(settings.session_s / 3600))},
    }.get(kept, {})  # type: ignore[assignment]
    return say(f"protection.kept.{kept}", language, **values)


def _recipient(recipient: Recipient, language: Language) -> str:
    what = say(f"protection.way.{recipient.way}", language)
    return f"- {what}: `{recipient.where}`. {say('protection.abroad', language)}"


def _guards(register: Register) -> Iterator[tuple[str, dict[str, object]]]:
    """How this installation guards what it keeps, as its settings say."""
    settings = register.settings
    yield "small_cells", {"least": settings.least_respondents}
    address = settings.public_url or ""
    yield ("https" if address.startswith("https://") else "no_https"), {}
    if settings.backup_folder:
        yield ("sealed" if settings.backup_keys else "unsealed"), {}
        yield "backups", {"keep": settings.backup_keep}
    else:
        yield "no_backups", {}
    yield ("heads" if settings.audit_heads else "no_heads"), {}
    yield ("access_log" if settings.access_log else "no_access_log"), {}
    yield "passwords", {}
