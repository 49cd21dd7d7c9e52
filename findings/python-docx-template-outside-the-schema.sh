#!/usr/bin/env bash
# Every document that python-docx begins has settings that the schema does not allow, and bytes that change by the second.
#
# python-docx 1.2.0: the template that `docx.Document()` begins with (saved in 2013, 160 styles, two copies of them in 440 kB
# each) has `<w:zoom w:val="bestFit"/>` in word/settings.xml. ECMA-376 (wml.xsd, CT_Zoom) requires `w:percent`, so whoever
# validates such files, as some document systems do before they take one, refuses all of them; until 0.8.6 it was there.
# The same document saved twice is two files: the entries of the zip have the time of saving, with no way to give another.
#
# What it means for us: settings are written anew, styles and parts that no letter needs are taken out, and the package is
# packed again without times, so that the same report is the same file.
set -euo pipefail
PYTHON=${PYTHON:-python3}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$PYTHON" -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check python-docx==1.2.0
cd "$folder"
"$folder/env/bin/python" - << 'PYTHON'
import io
import re
import time
import zipfile
from importlib.metadata import version

import docx


def saved(document):
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


print("python-docx", version("python-docx"))
document = docx.Document()
first = saved(document)
settings = zipfile.ZipFile(io.BytesIO(first)).read("word/settings.xml").decode()
(zoom,) = re.findall(r"<w:zoom[^>]*>", settings)
print(zoom)
if "w:percent" in zoom:
    raise SystemExit("the template says its zoom in per cent now")
print("w:percent is required by ECMA-376 and missing")
time.sleep(2)
if saved(document) == first:
    raise SystemExit("the same document is the same file now")
print("saved again two seconds later: another file")
PYTHON
