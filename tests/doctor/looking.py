"""How a check of the doctor is asked, and how bad what it found is."""

from datetime import UTC, datetime

from app.doctor.findings import Severity

NOW = datetime.now(UTC)


def severities(check, settings):
    return {finding.severity for finding in check(settings)}


def worst(check, settings):
    """What a check finds wrong, joined."""
    return " | ".join(
        f.what for f in check(settings) if f.severity in (Severity.WRONG, Severity.LOOK)
    )
