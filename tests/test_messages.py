"""The catalogue says the same things in both languages, and whatever the code may say."""

import re
import string
from pathlib import Path
from typing import get_args

import pytest
import yaml

import app.export.folder
import app.registry.reorganisation.country  # loaded by a command alone
from analysis.alerts import LAST_PERIOD, LEVEL_SHIFT
from analysis.control_charts import RULES
from analysis.drivers import NOT_DISTINGUISHABLE, QUADRANTS
from analysis.kinds import Kind
from analysis.xmr import ASSURANCES, NHS_RULES, VARIATIONS
from app.access.models import Right, Sector
from app.access.roles import Role
from app.cases.lists import ListName
from app.cases.mailing import News
from app.cases.models import CaseState, Origin
from app.cases.shown import Shown
from app.data_protection import register, writing
from app.db.away import Why
from app.dead_letters import Fate
from app.export.anonymous_columns import DESIGN as ANONYMOUS_DESIGN
from app.export.codebook_page import ANONYMOUS_NOTES, NOTES
from app.export.columns import CHANGE, DESIGN, INDEX
from app.export.formats import Format
from app.figures.comment_results import Contentment
from app.figures.comment_themes import RISEN
from app.figures.comments import FILTERS
from app.figures.periods import Length
from app.figures.theme_preview import PREVIEW
from app.importing.mapping import Role as Meaning
from app.intake.paper_template import COLUMNS
from app.intake.setting_aside import DISTRUSTED
from app.intake.times import ReceiptRule
from app.integrity.models import State
from app.masking.kinds import Kind as Masked
from app.messages import LANGUAGES, catalogue, preferred, say
from app.messages.words import Served
from app.posters.drawing import Size
from app.problems import _CAUSES, Problem
from app.registry.models import Channel, PointState, UnitKind
from app.reports.charts.specs import POSITIONS
from app.themes.editing import GENERAL, KINDS, PLACES
from app.themes.model import Tone
from app.themes.reading import first_list
from app.web import commands as _all_rooms  # noqa: F401 - with them all problems are known
from app.web.dashboard.pages import BOARDS
from app.web.pages import MENU
from app.web.staff.audit_words import ACTORS, DETAILS
from app.web.staff.batch_words import LIKELIHOODS
from app.web.staff.dead_letters import TABLES, Sort
from app.web.staff.failure_words import Cause
from app.web.staff.form_parts import KINDS as ITEM_KINDS
from app.web.staff.form_parts import Part
from app.web.staff.limits import STEPS
from app.web.unit_list import Column
from surveys.consistency import RULES as FORM_RULES
from surveys.differences import FIELDS
from surveys.formats import Format as FormFormat
from surveys.reading import SENTENCES

ROOT = Path(__file__).parents[1]
SOURCES = "\n".join(
    file.read_text(encoding="utf-8")
    for folder in ("app", "surveys")
    for file in (ROOT / folder).rglob("*.py")
)

TEMPLATES = "\n".join(
    file.read_text(encoding="utf-8")
    for pattern in ("*.html", "*.svg")
    for folder in ("app/web/templates", "app/export")
    for file in (ROOT / folder).rglob(pattern)
)
SCRIPTS = "\n".join(
    file.read_text(encoding="utf-8") for file in (ROOT / "app/web/static/kiosk").glob("*.js")
)
PERIODS = set(re.findall(r"\?P<(\w+)>", (ROOT / "app/messages/words.py").read_text("utf-8")))
LISTED = {
    name
    for file in (
        "app/reports/charts/trend_chart.py",
        "app/reports/charts/unit_charts.py",
        "app/reports/charts/comparison_charts.py",
        "app/reports/charts/funnel_spec.py",
        "app/reports/documents/letter.py",
        "app/reports/documents/pdf.py",
    )
    for name in re.findall(r'"(\w+)"', (ROOT / file).read_text("utf-8"))
}
CLOSED = set(re.findall(r'NoForm\("(\w+)"', SOURCES)) | {
    "ended", "early", "paused", "no_invitation", "expired",
}  # fmt: skip


def fields(sentence):
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def test_both_languages_have_the_same_sentences_with_the_same_values():
    vietnamese, english = (catalogue(language) for language in LANGUAGES)
    assert vietnamese.keys() == english.keys()
    for key, sentence in vietnamese.items():
        assert fields(sentence) == fields(english[key]), key


def test_every_problem_has_its_sentences():
    for code in Problem.catalogue:
        for part in ("title", "detail"):
            for language in LANGUAGES:
                assert catalogue(language)[f"problem.{code}.{part}"]


def _said_of_export(part):
    """What the codebook's page and the writers name of one part."""
    there = Path(app.export.__file__).parent
    texts = "".join(file.read_text("utf-8") for file in there.iterdir() if file.is_file())
    return set(re.findall(rf"export\.{part}\.([a-z_]+)", texts))


#: Keys that are put together from a code: for every code there must be one, and no other.
BY_CODE = {
    "kind": set(UnitKind),
    "position": set(POSITIONS),
    "funnel": set(POSITIONS),
    "standing": set(POSITIONS),
    "quadrant": {name.replace(" ", "_") for name in (*QUADRANTS, NOT_DISTINGUISHABLE)},
    "rule": {
        name.replace(" ", "_") for name in (*RULES, *NHS_RULES, LEVEL_SHIFT, LAST_PERIOD, "ewma")
    },
    "variation": {name.replace(" ", "_") for name in VARIATIONS},
    "assurance": {name.replace(" ", "_") for name in ASSURANCES},
    "length": set(Length),
    "sort": {sign + column for column in Column for sign in ("", "-")},
    "role": set(Role),
    "sector": set(Sector),
    "right": set(Right),
    "channel": set(Channel),
    "point_state": set(PointState),
    "detail": set(DETAILS),
    "receipt_rule": set(ReceiptRule),
    "actor": {*ACTORS, "command"},
    "language": set(LANGUAGES),
    "served": set(get_args(Served)),
    "signed_in_by": {"password"},
    "action": set(
        re.findall(r'record(?:_signed)?\(\s*\w+,\s*(?:settings,\s*)?"([a-z_.]+)"', SOURCES)
    )
    | {f"{each.kind}.{verb}" for each in TABLES.values() for verb in ("retry", "drop", "expire")},
    "fate": set(Fate),
    "task": set(re.findall(r'supervisor\.keep\(\s*"(\w+)"', SOURCES)),
    "cause_of_failure": set(Cause),
    "tone": set(Tone),
    "contentment": set(Contentment),
    "comment_filter": {*FILTERS, RISEN, PREVIEW},
    "integrity.kind": set(Kind),
    "masked": set(Masked),
    "integrity.rule": {"stuffing", DISTRUSTED},
    "integrity.state": set(State),
    "integrity.likelihood": set(LIKELIHOODS.values()),
    "case.origin": set(Origin),
    "case.state": set(CaseState),
    "case.shown": set(Shown),
    "case.list_name": set(ListName),
    "form_rule": set(FORM_RULES),
    "form_unread": set(SENTENCES),
    "form_part": set(get_args(Part)),
    "form_field": set(FIELDS),
    "form_format": set(FormFormat),
    "item_kind": set(ITEM_KINDS),
    "export.format": set(Format),
    "export.use": set(Format),
    "export.column": {CHANGE, *(name for name, *_ in (*DESIGN, *INDEX))},
    "export.anonymous_column": {name for name, *_ in ANONYMOUS_DESIGN},
    "export.yes_no": {"0", "1"},
    "export.note": {*NOTES, *ANONYMOUS_NOTES, *_said_of_export("note")},
    "export.head": {"column", "label", "value", *_said_of_export("head")},
    "export.sheet": _said_of_export("sheet"),
    "themes.kind": set(PLACES),
    "themes.question": {each.code for each in first_list().questions},
    "themes.hint": {*KINDS, *GENERAL},
}


def words_of_the_register():
    """What the register of processing says: by its parts, its tables, and what its writer names."""
    yield from (f"about.{each}" for each in register.About)
    yield from (f"data.{each}" for each in register.Data)
    yield from (f"way.{each}" for each in register.Way)
    tables = register.schema().tables.values()
    yield from (f"why.{each.why}" for each in tables)
    yield from (f"kept.{each.kept}" for each in tables if each.kept not in writing.MONTHS)
    yield from ("kept.months", "kept.without_end", "abroad")
    yield from (f"column.{name}" for name in writing.COLUMNS)
    yield from (f"fill.{name}" for name in writing.FILLED)
    yield from (f"guard.{name}" for name in writing.GUARDS)
    yield from (f"leak_steps.{n}" for n in writing.LEAK_STEPS)
    yield from re.findall(
        r"""words\(["']([a-z_]+)["']""", Path(writing.__file__).read_text("utf-8")
    )


def test_what_the_code_says_is_in_the_catalogue_and_nothing_else_is():
    keys = set(catalogue("vi"))
    kinds = (
        "account|answer|aside|case|chart|code|comments|device|digest|export|field|form|formats|"
        "import|importing|integrity|key|kiosk|page|password|period|plan|poster|public|"
        "questionnaires|report|role|sms|structure|synthetic|table|tell|themes|view"
    )
    said = set(re.findall(rf'"((?:{kinds})\.[a-z0-9_]+)"', SOURCES + TEMPLATES))
    said |= {key for key in keys if key.startswith("done.") and f'"{key[5:]}"' in SOURCES}
    said -= (
        {"account.id"}
        | BY_CODE["action"]
        | {
            "case.mail_",
            "questionnaires.add_",
            "questionnaires.remove_",
            "integrity.rule",
            "page.letters_",
            "comments.section_",
            "poster.size_",
            "poster.typ",
            "report.typ",
            "export.json",
        }
        | {key for key in said if key.endswith((".html", ".csv", ".json"))}
    )
    said |= {f"{place.name}_about" for place in MENU} | {f"page.letters_{sort}" for sort in Sort}
    said |= {f"kiosk.{key}" for key in re.findall(r'say\((?:kept \? )?"(\w+)"', SCRIPTS)}
    said |= {f"kiosk.{key}" for key in re.findall(r': "([a-z_]+)"\)\)', SCRIPTS)}
    said |= {f"why.database_{why}" for why in Why}
    said |= {f"comments.section_{tone}" for tone in Tone}
    said |= {f"protection.{key}" for key in words_of_the_register()}
    said |= {f"kiosk.trouble_{key}" for key in ("network", "server", "waiting", "revoked")}
    said |= {f"poster.how_{step}" for step in (1, 2, 3)} | {f"poster.size_{size}" for size in Size}
    said |= {f"view.{name}" for name in BOARDS} | {f"page.step_{step.value}" for step in STEPS}
    said |= {f"period.{name}" for name in PERIODS}
    said |= {
        f"fault.{kind}_{fault}"
        for kind in ("field", "parameter")
        for fault in ("missing", "unknown", "wrong")
    }
    said |= {f"cause.{cause}" for cause in _CAUSES.values()} | {"fault.further"}
    said |= {f"report.recipients_{to}" for to in ("to_above", "to_others")}
    said |= {f"report.method_{n}" for n in (1, 2, 3, 4, 5)}
    # Headings of tables and of the PDF's parts are listed by their names alone.
    said |= {f"chart.{name}" for name in LISTED if f"chart.{name}" in keys}
    said |= {f"report.{name}" for name in LISTED if f"report.{name}" in keys}
    said |= {f"import.{part}_{name}" for part in ("title", "about") for name in COLUMNS}
    said |= {f"import.key_{name}" for name in ("column", "asked", "typed")}
    said |= {f"closed.{key}{end}" for key in CLOSED for end in ("", "_title")}
    said |= {f"case.mail_{news}" for news in News}
    parts = ("item", "factor", "scale")
    said |= {f"questionnaires.{act}_{part}" for act in ("add", "remove") for part in parts}
    said |= {f"page.imports_role_{role}" for role in Meaning}
    said |= {f"page.imports_{count}" for count in ("accepted", "right", "duplicate", "unfinished")}
    said |= {"page.imports_wrong_rows"}
    for kind, codes in BY_CODE.items():
        said |= {f"{kind}.{code}" for code in codes}
    said |= {f"problem.{code}.{part}" for code in Problem.catalogue for part in ("title", "detail")}
    assert sorted(said - keys) == [], "not in the catalogue"
    assert sorted(keys - said) == [], "never said"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "vi"),
        ("", "vi"),
        ("fr", "vi"),
        ("en", "en"),
        ("en-GB,en;q=0.9", "en"),
        ("vi;q=0.3, en;q=0.7", "en"),
        ("en;q=0.5,vi-VN;q=0.8", "vi"),
        ("en;q=x", "vi"),
        ("en;q=nan", "vi"),
        ("en;q=nan, vi;q=0.1, en;q=0.2", "en"),
        ("en;q=inf", "vi"),
        ("vi, en", "vi"),
        ("," * 5000, "vi"),
    ],
)
def test_the_callers_language(header, language):
    assert preferred(header) == language


def test_values_are_put_in():
    assert say("answer.not_a_percent", "en", maximum=200) == "Takes a whole number from 0 to 200."


class _Once(yaml.SafeLoader):
    """Refuses a mapping that has a key twice: YAML takes the last one without a word."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key) for key, _ in node.value]
        assert len(keys) == len(set(keys)), f"twice in {node.start_mark}: {sorted(keys)}"
        return super().construct_mapping(node, deep)


@pytest.mark.parametrize(
    "file", sorted((ROOT / "app/messages").rglob("*.yaml")), ids=lambda f: f.name
)
def test_nothing_is_said_twice(file):
    assert yaml.load(file.read_text("utf-8"), _Once)
