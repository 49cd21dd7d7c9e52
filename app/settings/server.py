"""Settings of the server: where it listens, by which address it is reached, what it logs."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, Field


def _public_address(given: str | None) -> str | None:
    """An address of the whole service: a scheme and a name, perhaps a port.

    Raises
    ------
    ValueError
        For what is no such address. One with a path is none either: pages, cookies, QR codes and
        kiosks would lead past it.
    """
    if not given:
        return None
    parts = urlsplit(given)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise ValueError(f"{given} is no address like https://hailong.example.vn")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError(
            f"{given} has more than a host's name: the service cannot stand under a path, and "
            "needs a name of its own like https://hailong.example.vn"
        )
    return f"{parts.scheme}://{parts.netloc.lower()}"


class ServerSettings(BaseModel):
    """The server and its logs."""

    host: str = Field("127.0.0.1", description="Address that the server listens on.")
    port: int = Field(8000, ge=0, le=65535, description="Port that the server listens on.")
    public_url: Annotated[str | None, AfterValidator(_public_address)] = Field(
        None,
        description="Address by which people reach the service, like https://hailong.example.vn: "
        "a name of its own, without a path. "
        "Without one, signing in works on the server's own machine only; with http:// instead of "
        "https://, passwords cross the network readable by others.",
    )
    workers: int = Field(1, ge=1, description="Server processes; more than one wants PostgreSQL.")
    end_s: int = Field(
        15,
        ge=1,
        description="Seconds that a server that is told to end waits for requests that are being "
        "answered; after ten more it ends whatever hangs.",
    )
    log_format: Literal["auto", "json", "text"] = Field(
        "auto",
        description="How the server logs: one JSON object a line, or lines for people; by itself "
        "lines on a terminal, and JSON elsewhere.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least level that the server logs."
    )
    access_log: bool = Field(
        False,
        description="Whether each answer is logged: method, route without its values, status, "
        "milliseconds and request id. Never an address or a query.",
    )

    @property
    def over_https(self) -> bool:
        """Whether browsers reach the service by HTTPS, so that cookies can insist on it."""
        return (self.public_url or "").startswith("https://")

    @property
    def session_cookie(self) -> str:
        """Name of the session's cookie; by the prefix a browser refuses it from other hosts."""
        return "__Host-hailong" if self.over_https else "hailong"
