"""Questionnaires: the model of a form, its loader and checker, and the rules that score it.

Forms are YAML under ``surveys/forms``; everything that a ministry may change (wording, levels,
which levels count as satisfied, which items enter the index) is data there, not code here.
Imports neither the service (``app``) nor the statistics (``analysis``).
"""

from surveys.answers import AnswerError, AnswerSheet, Mistake
from surveys.loader import FormError, FormMistake, check_file, load_directory, load_file
from surveys.model import Questionnaire

__all__ = [
    "AnswerError",
    "AnswerSheet",
    "FormError",
    "FormMistake",
    "Mistake",
    "Questionnaire",
    "check_file",
    "load_directory",
    "load_file",
]
