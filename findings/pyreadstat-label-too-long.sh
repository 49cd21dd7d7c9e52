#!/usr/bin/env bash
# The same label is cut without a word in one format, and ends the other file.
#
# pyreadstat 1.3.7, a question of 384 signs (544 bytes) as the label of a variable, which a form of an office easily
# has: `write_sav` writes a file whose label was cut off after 256 bytes, and neither warns nor says so;
# `write_dta` raises "A provided label is too long for the file format" and leaves an empty file under the name that
# it was given, which no program opens. Value labels of SPSS are cut off after 120 bytes, in silence, too.
# Stata's limit is 80 signs, SPSS's 256 bytes: a limit by characters there and by bytes here.
#
# What it means for us: who writes labels cuts them first, by bytes or signs as each format counts, with all of it in the
# codebook; and a file is written under another name, and renamed when it is whole.
set -euo pipefail
PYTHON=${PYTHON:-python3}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$PYTHON" -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check pyreadstat==1.3.7 "pandas==2.3.3" "numpy==2.4.0"
cd "$folder"
"$folder/env/bin/python" - << 'PYTHON'
from pathlib import Path

import pandas as pd
import pyreadstat

frame = pd.DataFrame({"q1": [1.0, 2.0]})
label = "Mức độ hài lòng chung về thái độ phục vụ của công chức tại bộ phận một cửa xã, phường, thị trấn " * 4
print("pyreadstat", pyreadstat.__version__, "label of", len(label), "signs,", len(label.encode()), "bytes")

pyreadstat.write_sav(frame, "a.sav", column_labels={"q1": label}, variable_value_labels={"q1": {1.0: "a" * 130}})
_, told = pyreadstat.read_sav("a.sav")
kept = told.column_names_to_labels["q1"]
print("write_sav: no error;", len(kept.encode()), "bytes of the label came back,",
      len(told.variable_value_labels["q1"][1.0]), "of a value's 130")
assert len(kept.encode()) <= 256 and label.startswith(kept)
assert len(told.variable_value_labels["q1"][1.0]) == 120

try:
    pyreadstat.write_dta(frame, "a.dta", column_labels={"q1": label})
except pyreadstat.ReadstatError as error:
    print("write_dta:", error, "- a file of", Path("a.dta").stat().st_size, "bytes is left")
else:
    raise SystemExit("write_dta takes the label now")
assert Path("a.dta").stat().st_size == 0
PYTHON
