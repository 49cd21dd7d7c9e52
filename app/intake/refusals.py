"""Why a response is not taken, and why one that was taken cannot be joined by another."""

from __future__ import annotations

from app.problems import Problem


class UnknownQuestionnaireVersion(Problem):
    """This version was never published here. It may be later: a kiosk keeps the response."""

    code, status, passing = "unknown-questionnaire-version", 422, True


class UnknownPoint(Problem):
    """No survey point has this public code (any more)."""

    code, status = "unknown-point", 422


class PointMissing(Problem):
    """The caller stands for no survey point and names none."""

    code, status = "point-missing", 422


class PointClosed(Problem):
    """The survey point took no answers at the moment that counts, or had no unit that day."""

    code, status = "point-closed", 422


class WrongQuestionnaire(Problem):
    """The survey point asks another questionnaire."""

    code, status = "wrong-questionnaire", 422


class PointNotYours(Problem):
    """A device named another survey point than its own."""

    code, status = "point-not-yours", 403


class PartialNotKept(Problem):
    """It lacks what is required, and the questionnaire keeps no such response."""

    code, status = "partial-not-kept", 422


class InvitationNeeded(Problem):
    """The survey point takes answers of those who were invited, and no others."""

    code, status = "invitation-needed", 403


class InvitationUsed(Problem):
    """The invitation was answered before, or is too old."""

    code, status = "invitation-used", 410


class ConflictingResponse(Problem):
    """The id was taken with other content."""

    code, status = "conflicting-response", 409


class DayDeleted(Problem):
    """The responses of its day were deleted by rule; it can join them no more."""

    code, status = "day-deleted", 422


class ReplyCodeTaken(Problem):
    """Another response came with this code for a reply: two people would read one reply."""

    code, status = "reply-code-taken", 409


class RateExceeded(Problem):
    """Too many responses of one device or key, or with one public code, in a short time."""

    code, status, passing = "rate-exceeded", 429, True
