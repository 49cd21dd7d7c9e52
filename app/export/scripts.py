"""Scripts that read an export and give our rates: one for R, one for Python.

Both count a respondent as a cluster, as our figures do; the interval is that of
``interval=r-xlogit``. R's ``svyciprop`` gives the same of a row an answer; here the ratio's own
standard error is transformed, so that one row a respondent is enough.
"""

from __future__ import annotations

from app.export.codebook import Codebook
from app.export.columns import Role
from app.export.formats import Format
from app.messages import say

#: R's design of our figures, and that with days as clusters; ``x`` are respondents with answers.
DESIGN = """\
x <- subset(responses, index_answers > 0 & disposition == "counted")
people <- svydesign(ids = ~1, weights = ~weight, data = x)   # as our figures: cluster=respondent
days <- svydesign(ids = ~day, weights = ~weight, data = x)   # cluster=day"""
#: The same of anonymised rows, which have no days and nobody set aside.
_ANONYMOUS_DESIGN = """\
x <- subset(responses, index_answers > 0)
people <- svydesign(ids = ~1, weights = ~weight, data = x)   # as our figures: cluster=respondent"""
_TEXTS = ("response", "unit", "parent_unit", "quarter", "aside_rule")
_R_READ = {
    Format.CSV: 'read.csv(file, fileEncoding = "UTF-8-BOM", na.strings = "", colClasses = text)',
    Format.CSV_VI: 'read.csv2(file, fileEncoding = "UTF-8-BOM", na.strings = "", '
    "colClasses = text)",
    Format.XLSX: 'do.call(rbind, lapply(grep("{sheet}", readxl::excel_sheets(file), value = TRUE), '
    "function(s) readxl::read_excel(file, s, guess_max = 1e5)))",
    Format.PARQUET: "arrow::read_parquet(file)",
    Format.SPSS: "haven::read_sav(file)",
    Format.STATA: "haven::read_dta(file)",
}
#: Of a round in a folder, where Parquet is in parts.
_R_READ_PARTS = "dplyr::collect(arrow::open_dataset(file))"
_R = """\
# {title}
# Hài Lòng: https://www.r-project.org, packages survey{packages}
library(survey)

text <- c({text})
read_one <- function(file) as.data.frame({read})
{rows}

{design}

# Rate, standard error and interval (interval=r-xlogit) of satisfied answers over answers.
rate <- function(design, satisfied = ~index_satisfied, answers = ~index_answers) {{
  found <- svyratio(satisfied, answers, design)
  r <- as.numeric(coef(found)); se <- as.numeric(SE(found))
  half <- qt(0.975, degf(design)) * se / (r * (1 - r))
  c(rate = r, se = se, low = plogis(qlogis(r) - half), high = plogis(qlogis(r) + half),
    respondents = nrow(design$variables))
}}

print(rbind({designs}), digits = 15)
by_unit <- sapply(split(x, x$unit), function(each)
  rate(svydesign(ids = ~1, weights = ~weight, data = each)))
print(t(by_unit), digits = 15)
"""
_R_WHOLE = 'responses <- read_one("{file}")'
_R_ROUNDS = """\
# Each run of the export left a round: its rows take the place of what has their id, and what is
# not a row says what to drop.
follow <- function(had, came) {{
  gone <- as.Date(came$day[which(came$change == "deleted-before")])
  if (length(gone)) had <- had[as.Date(had$day) >= max(gone), ]
  wordless <- as.Date(came$day[which(came$change == "texts-deleted-before")])
  if (length(wordless)) had[as.Date(had$day) < max(wordless), c({texts})] <- NA
  had <- had[!had$response %in% came$response, ]
  rows <- came[which(came$change == "row"), ]
  for (name in setdiff(names(rows), names(had))) had[[name]] <- rep(NA, nrow(had))
  for (name in setdiff(names(had), names(rows))) rows[[name]] <- rep(NA, nrow(rows))
  rbind(had, rows[names(had)])
}}
rounds <- sort(list.files(pattern = "{pattern}"))
responses <- Reduce(follow, lapply(rounds, read_one))"""
_PYTHON_READ = {
    Format.CSV: 'pd.read_csv(file, encoding="utf-8-sig", dtype=TEXT)',
    Format.CSV_VI: 'pd.read_csv(file, encoding="utf-8-sig", dtype=TEXT, sep=";", decimal=",")',
    Format.XLSX: "pd.concat([s for n, s in pd.read_excel(file, sheet_name=None, dtype=TEXT)"
    '.items() if n.startswith("{sheet}")])',
    Format.PARQUET: "pd.read_parquet(file)",
    Format.SPSS: "pyreadstat.read_sav(file)[0]",
    Format.STATA: "pyreadstat.read_dta(file)[0]",
}
_PYTHON_WHOLE = 'responses = read_one("{file}")'
_PYTHON_ROUNDS = '''\
def follow(had, came):
    """What there was with a later round: rows take the place of what has their id, others drop."""
    day, change = pd.to_datetime(came["day"]), came["change"]
    if (change == "deleted-before").any():
        had = had[pd.to_datetime(had["day"]) >= day[change == "deleted-before"].max()]
    if (change == "texts-deleted-before").any():
        before = pd.to_datetime(had["day"]) < day[change == "texts-deleted-before"].max()
        had.loc[before, [{texts}]] = None
    had = had[~had["response"].isin(came["response"])]
    return pd.concat([had, came[change == "row"]], ignore_index=True)


rounds = sorted(Path.cwd().glob("{pattern}"))
responses = functools.reduce(follow, map(read_one, rounds))'''
_PYTHON = '''\
"""{title}: the rates of Hài Lòng from single responses. Needs pandas, scipy{packages}."""

{first}import numpy as np
import pandas as pd
{imports}from scipy import stats
from scipy.special import expit, logit

TEXT = {{name: str for name in ({text})}}


def read_one(file):
    """A file of responses."""
    return {read}


{rows}


def rate(x, by=None):
    """Rate, standard error, interval (interval=r-xlogit); clusters are respondents, or days."""
    sums = x[["index_satisfied", "index_answers"]].astype(float)
    if by is not None:
        sums = sums.groupby(x[by]).sum()
    a, m = (sums[name].to_numpy() for name in sums)
    r, n = a.sum() / m.sum(), len(a)
    se = np.sqrt(n / (n - 1) * ((a - r * m) ** 2).sum()) / m.sum()
    half = stats.t.ppf(0.975, n - 1) * se / (r * (1 - r))
    low, high = expit(logit(r) + np.array([-half, half]))
    return {{"rate": r, "se": se, "low": low, "high": high, "respondents": len(x)}}


x = responses[{counted}]
if __name__ == "__main__":
    pd.set_option("display.precision", 15, "display.width", 200, "display.max_columns", 9)
    print(pd.DataFrame({{{designs}}}).T)
    print(pd.DataFrame({{unit: rate(each) for unit, each in x.groupby("unit") if len(each) > 1}}).T)
'''


def r_script(book: Codebook) -> bytes:
    """The script for R, UTF-8."""
    packages = {
        Format.PARQUET: ", arrow", Format.SPSS: ", haven", Format.STATA: ", haven",
        Format.XLSX: ", readxl",
    }.get(book.format, "")  # fmt: skip
    read, rows = _R_READ[book.format], _R_WHOLE
    if book.in_rounds:
        rows = _R_ROUNDS
        if book.format is Format.PARQUET:
            read, packages = _R_READ_PARTS, ", arrow, dplyr"
    return _R.format(
        title=_line(book),
        packages=packages,
        read=read.format(sheet=_sheet(book)),
        rows=rows.format(
            file=book.file, texts=_texts(book),
            pattern=r"^responses-[0-9]+$" if book.format is Format.PARQUET
            else r"^responses-[0-9]+\\.csv$",
        ),
        design=design_of(book),
        text=", ".join(f'{name} = "character"' for name in _text_columns(book)),
        designs="people = rate(people)" + ("" if book.anonymity else ", days = rate(days)"),
    ).encode()  # fmt: skip


def python_script(book: Codebook) -> bytes:
    """The script for Python, UTF-8."""
    by = {
        Format.PARQUET: (", pyarrow", ""), Format.XLSX: (", openpyxl", ""),
        Format.SPSS: (", pyreadstat", "import pyreadstat\n"),
        Format.STATA: (", pyreadstat", "import pyreadstat\n"),
    }  # fmt: skip
    packages, imports = by.get(book.format, ("", ""))
    numbered = "responses-" + "[0-9]" * 4
    return _PYTHON.format(
        title=_line(book),
        packages=packages,
        imports=imports,
        first="import functools\nfrom pathlib import Path\n\n" if book.in_rounds else "",
        read=_PYTHON_READ[book.format].format(sheet=_sheet(book)),
        rows=(_PYTHON_ROUNDS if book.in_rounds else _PYTHON_WHOLE).format(
            file=book.file, texts=_texts(book),
            pattern=numbered if book.format is Format.PARQUET else f"{numbered}.csv",
        ),
        text=", ".join(f'"{name}"' for name in _text_columns(book)),
        counted='responses["index_answers"] > 0' if book.anonymity
        else '(responses["index_answers"] > 0) & (responses["disposition"] == "counted")',
        designs='"people": rate(x)' + ("" if book.anonymity else ', "days": rate(x, "day")'),
    ).encode()  # fmt: skip


def design_of(book: Codebook) -> str:
    """R's design of the rows: of anonymised ones without days."""
    return _ANONYMOUS_DESIGN if book.anonymity else DESIGN


def _text_columns(book: Codebook) -> list[str]:
    """Columns of codes that a reader would take for numbers."""
    return [name for name in _TEXTS if name in book.schema.names]


def _texts(book: Codebook) -> str:
    """The columns of texts, quoted, with commas."""
    return ", ".join(f'"{name}"' for name, _, what in book.columns if what.role is Role.TEXT)


def _line(book: Codebook) -> str:
    """The title on one line, without what would end a text in Python."""
    return " ".join(book.title[book.language].replace('"', "'").replace("\\", "/").split())


def _sheet(book: Codebook) -> str:
    return say("export.sheet.responses", book.language)
