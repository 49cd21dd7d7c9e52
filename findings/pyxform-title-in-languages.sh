#!/usr/bin/env bash
# A form's title in two languages ends the converter in an error of its own code.
#
# pyxform 4.5.0: an XLSForm may translate labels, hints and messages by columns `label::LANGUAGE`. Whoever writes the
# title in the same way on the sheet "settings" (`form_title::Tiếng Việt (vi)`, `form_title::English (en)`) is not told
# that titles have one language: the conversion ends in AttributeError: 'dict' object has no attribute 'nodeType', which
# names neither sheet nor column. With one `form_title` the same form converts.
#
# What it means for us: an import looks for such columns before it calls pyxform, and names them; a form of ours
# goes out with one title, and what is lost of the other languages is listed.
set -euo pipefail
PYTHON=${PYTHON:-python3}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$PYTHON" -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check pyxform==4.5.0 openpyxl==3.1.5
cd "$folder"
"$folder/env/bin/python" - << 'PYTHON'
from importlib.metadata import version

import openpyxl
from pyxform import xls2xform

VI, EN = "Tiếng Việt (vi)", "English (en)"


def form(name, settings):
    book = openpyxl.Workbook()
    sheets = {
        "survey": [["type", "name", f"label::{VI}", f"label::{EN}"],
                   ["select_one sat", "q1", "Ông/Bà có hài lòng không?", "Are you satisfied?"]],
        "choices": [["list_name", "name", f"label::{VI}", f"label::{EN}"],
                    ["sat", "1", "Không", "No"], ["sat", "5", "Có", "Yes"]],
        "settings": settings,
    }
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    del book["Sheet"]
    book.save(name)
    return name


print("pyxform", version("pyxform"))
plain = xls2xform.convert(form("one.xlsx", [["form_id", "form_title"], ["f", "Khảo sát"]]))
assert "Khảo sát" in plain.xform
print("one title: converted")
try:
    xls2xform.convert(form("two.xlsx", [["form_id", f"form_title::{VI}", f"form_title::{EN}"], ["f", "Khảo sát", "Survey"]]))
except AttributeError as error:
    print("two titles: AttributeError:", error)
    assert "nodeType" in str(error)
else:
    raise SystemExit("a title in two languages is converted now")
PYTHON
