#!/usr/bin/env bash
# A Stata file of two columns, written with no version named, is in the format of more than 32,767 variables.
#
# pyreadstat 1.3.7, `write_dta` as it comes (`version=15`): the header says release 119. Stata's help (`help dta`) keeps that
# release for data of more than 32,767 variables, which Stata/MP alone opens; what Stata 14 to 18 write themselves of
# fewer is 118. `version=14` gives 118; pandas 2.3.3, where no version is named, writes 114.
#
# What it means for us: exports are written with `version=14`, and a test reads the release from the file's first bytes.
set -euo pipefail
PYTHON=${PYTHON:-python3}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$PYTHON" -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check pyreadstat==1.3.7 "pandas==2.3.3" "numpy==2.4.0"
cd "$folder"
"$folder/env/bin/python" - << 'PYTHON'
import re
from pathlib import Path

import pandas as pd
import pyreadstat

frame = pd.DataFrame({"q1": [1.0, 2.0], "q2": [5.0, 4.0]})


def release(name):
    return int(re.search(rb"<release>(\d+)</release>", Path(name).read_bytes())[1])


pyreadstat.write_dta(frame, "default.dta")
pyreadstat.write_dta(frame, "14.dta", version=14)
frame.to_stata("pandas.dta", write_index=False)
of_pandas = Path("pandas.dta").read_bytes()[0]
print("pyreadstat", pyreadstat.__version__, "as it comes:", release("default.dta"), "- version=14:", release("14.dta"),
      "- pandas", pd.__version__, "as it comes:", of_pandas)
assert (release("default.dta"), release("14.dta"), of_pandas) == (119, 118, 114)
PYTHON
