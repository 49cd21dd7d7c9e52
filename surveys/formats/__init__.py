"""Forms of other programs, in and out: XLSForm, LimeSurvey, FHIR Questionnaire and SurveyJS.

Each format is read into an outline and written from one. What cannot be carried is listed by
place and reason; reasons are keys of the service's message catalogue. Nothing here stores.
"""

from surveys.formats.cells import MOST_BYTES
from surveys.formats.drafting import Draft
from surveys.formats.findings import FormUnreadable, NotCarried, Place
from surveys.formats.writing import Format, Written, as_yaml, read_form, write_form

__all__ = [
    "MOST_BYTES",
    "Draft",
    "FormUnreadable",
    "Format",
    "NotCarried",
    "Place",
    "Written",
    "as_yaml",
    "read_form",
    "write_form",
]
