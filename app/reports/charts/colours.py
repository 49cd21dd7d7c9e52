"""The colours of all charts, and the shapes that say the same without colour.

Palette: Okabe and Ito (2008), told apart by those who do not see all colours.
"""

from __future__ import annotations

#: Above a target or limit, below it, neither.
ABOVE, BELOW, NEITHER = "#0072B2", "#B34700", "#5f6b68"
INK, SOFT, LINE, BAND, BRAND = "#17211f", "#55625f", "#d5dcda", "#cfe3dd", "#0b5d4f"
#: In the order above, neither, below.
PLACES, SHAPES = (ABOVE, NEITHER, BELOW), ("triangle-up", "circle", "triangle-down")
