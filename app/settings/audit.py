"""Settings of the audit log outside this machine: its key, and where its heads go."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, Field


def _places_for_heads(given: str) -> str:
    """Where heads of the audit log go to, separated by spaces.

    Raises
    ------
    ValueError
        For what is no such place.
    """
    for place in given.split():
        try:
            parts = urlsplit(place)
            known = {
                "file": parts.path.startswith("/"),
                "mailto": "@" in parts.path,
                "syslog": parts.path.startswith("/"),
                "https": bool(parts.hostname),
                "http": bool(parts.hostname),
            } | {f"syslog+{way}": bool(parts.hostname) for way in ("udp", "tcp", "tls")}
            well = known.get(parts.scheme, False) and (parts.port is None or parts.port > 0)
        except ValueError:  # a port that is none, say
            well = False
        if not well:
            raise ValueError(
                "heads go to file:///path, mailto:address, syslog:///dev/log, "
                "syslog+udp://host, syslog+tcp://host, syslog+tls://host or https://host/path"
            )
    return given


class AuditSettings(BaseModel):
    """The audit log outside this machine."""

    audit_key: Path | None = Field(
        None,
        description="File with the key that signs the audit log's heads; made by "
        "`hailong audit key`, outside the database.",
    )
    audit_heads: Annotated[str, AfterValidator(_places_for_heads)] = Field(
        "",
        description="Where heads of the audit log go by themselves, separated by spaces: "
        "file:///path, mailto:address, syslog:///dev/log, syslog+udp://host:514, "
        "syslog+tcp://host:601, syslog+tls://host:6514, https://host/path.",
    )
    audit_heads_every_min: int = Field(
        15,
        ge=1,
        le=1440,
        description="Minutes after which a head leaves if the log has grown; without anything new "
        "one leaves once a day.",
    )
