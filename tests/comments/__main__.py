"""Prints how well the word list finds the themes of labelled lines: ``python -m tests.comments``.

Other files may be named. Lines that are found wrongly are shown, but of ``unseen_themes.tsv``
never: nothing is to be tuned on it, it is for measuring alone.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.comments.measuring import FILES, UNSEEN, by_list, read_lines, scores, themes_of

for file in map(Path, sys.argv[1:]) if sys.argv[1:] else FILES:
    lines, find = read_lines(file), by_list()
    print(f"{file.name}: {len(lines)} lines, by the word list")
    for each in scores(lines, find):
        print(f"  {each.name:12} {each.lines:4}  P {each.precision}  R {each.recall}  F1 {each.f1}")
    if file.name != UNSEEN.name:
        for line in lines:
            found = find(line)
            if themes_of(found) != line.themes or found.tone.value != line.tone:
                print(
                    f"  {line.item}: {line.text!r} is {sorted(line.themes)}, {line.tone}; "
                    f"found {sorted(themes_of(found))}, {found.tone.value}"
                )
