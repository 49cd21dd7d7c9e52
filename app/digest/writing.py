"""A digest as a mail: plain text, and the same as simple HTML without anything to be fetched."""

from __future__ import annotations

from email.message import EmailMessage
from html import escape

from app.digest.contents import Digest, Line, Section
from app.messages.words import Words
from app.settings import Settings

_WIDTH = 36
_FONT = "font-family:Arial,Helvetica,sans-serif;color:#1b2a27;line-height:1.45"


def message(settings: Settings, digest: Digest, email: str, number: int) -> EmailMessage:
    """The mail to an address; ``number`` is the account's.

    Its id is the same whenever it is sent again, so that a mail server that has it drops the other.
    """
    found = EmailMessage()
    found["Subject"] = subject(digest)
    found["From"], found["To"] = settings.mail_from, email
    host = settings.mail_from.rpartition("@")[2].strip("> ") or "localhost"
    found["Message-ID"] = f"<digest.{digest.period}.{number}@{host}>"
    found["Auto-Submitted"] = "auto-generated"
    found.set_content(text(settings, digest))
    found.add_alternative(html(settings, digest), subtype="html")
    return found


def subject(digest: Digest) -> str:
    """Month and unit; no figure, since a subject is read over a shoulder."""
    w = digest.reader.words
    first, *others = digest.sections
    units = first.unit if not others else w("tell.and_more", units=first.unit, n=len(others))
    return w("digest.subject", month=w.period(digest.period), unit=units)


def text(settings: Settings, digest: Digest) -> str:
    """The mail as plain text."""
    w = digest.reader.words
    lines = [w("digest.greeting", name=digest.reader.name), ""]
    for section in digest.sections:
        lines += _section(w, section, digest)
    lines += ["-" * _WIDTH, _foot(w), _profile(settings)]
    return "\n".join(lines) + "\n"


def _section(w: Words, section: Section, digest: Digest) -> list[str]:
    lines = [section.unit.upper(), w.period(digest.period), ""]
    if section.figure:
        lines[1] += ": " + w("digest.satisfied", rate=section.figure)
    if section.synthetic:
        lines += [w("synthetic.notice"), ""]
    for part in section.parts:
        lines.append(f"{part.heading}:")
        for line in part.lines:
            lines.append(f"- {line.text}")
            if line.link:
                lines.append(f"  {line.link}")
        lines.append("")
    return [*lines, w("digest.page") + ":", section.link, ""]


def html(settings: Settings, digest: Digest) -> str:
    """The mail as HTML that every mail program shows: no pictures, no style sheet, no script."""
    w = digest.reader.words
    sections = "".join(_section_html(w, section, digest) for section in digest.sections)
    profile = escape(_profile(settings))
    return (
        f'<!doctype html><html lang="{w.language}"><head><meta charset="utf-8">'
        f"<title>{escape(subject(digest))}</title></head>"
        f'<body style="margin:0;background:#fff"><div style="max-width:36em;margin:0 auto;'
        f'padding:16px;{_FONT}"><p>{escape(w("digest.greeting", name=digest.reader.name))}</p>'
        f'{sections}<hr><p style="font-size:13px;color:#44504d">{escape(_foot(w))} '
        f'<a href="{profile}">{profile}</a></p></div></body></html>\n'
    )


def _section_html(w: Words, section: Section, digest: Digest) -> str:
    figure = (
        '<p style="margin:0 0 12px">'
        f'<strong style="font-size:30px">{escape(section.figure)}</strong> '
        + escape(w("digest.satisfied_after"))
        + "</p>"
        if section.figure
        else ""
    )
    notice = f"<p><strong>{escape(w('synthetic.notice'))}</strong></p>" if section.synthetic else ""
    parts = "".join(
        f'<h3 style="font-size:15px;margin:14px 0 4px">{escape(part.heading)}</h3>'
        f'<ul style="margin:0;padding-left:20px">{"".join(map(_line, part.lines))}</ul>'
        for part in section.parts
    )
    page = escape(section.link)
    return (
        f'<h2 style="font-size:19px;margin:18px 0 2px">{escape(section.unit)}</h2>'
        f'<p style="margin:0 0 6px">{escape(w.period(digest.period))}</p>{figure}{notice}{parts}'
        f'<p><a href="{page}">{escape(w("digest.page"))}</a></p>'
    )


def _line(line: Line) -> str:
    said = escape(line.text)
    return f'<li><a href="{escape(line.link)}">{said}</a></li>' if line.link else f"<li>{said}</li>"


def _foot(w: Words) -> str:
    return w("digest.foot")


def _profile(settings: Settings) -> str:
    return f"{(settings.public_url or '').rstrip('/')}/profile"
