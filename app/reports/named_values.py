"""Which sentence of the catalogue names a value that results carry for machines.

Values of results are kept as they are published, with spaces; a key of the catalogue is none of
them mended, but stands here beside it.
"""

from __future__ import annotations

#: Rules by which a period or a unit stands out.
RULES = {
    "beyond 3 sigma": "rule.beyond_3_sigma",
    "2 of 3 beyond 2 sigma": "rule.2_of_3_beyond_2_sigma",
    "4 of 5 beyond 1 sigma": "rule.4_of_5_beyond_1_sigma",
    "8 in a row on one side": "rule.8_in_a_row_on_one_side",
    "ewma": "rule.ewma",
    "outside the limits": "rule.outside_the_limits",
    "7 in a row rising or falling": "rule.7_in_a_row_rising_or_falling",
    "2 of 3 near a limit": "rule.2_of_3_near_a_limit",
    "7 in a row on one side": "rule.7_in_a_row_on_one_side",
    "level shift": "rule.level_shift",
    "last period": "rule.last_period",
}
VARIATIONS = {
    "common cause": "variation.common_cause",
    "improvement": "variation.improvement",
    "concern": "variation.concern",
}
ASSURANCES = {
    "consistently passing": "assurance.consistently_passing",
    "consistently failing": "assurance.consistently_failing",
    "hit and miss": "assurance.hit_and_miss",
}
#: The same in a word or two, beside an icon.
SHORT_VARIATIONS = {
    "common cause": "chart.common_cause",
    "improvement": "chart.improvement",
    "concern": "chart.concern",
}
SHORT_ASSURANCES = {
    "consistently passing": "chart.passing",
    "consistently failing": "chart.failing",
    "hit and miss": "chart.hit_and_miss",
}
QUADRANTS = {
    "concentrate here": "quadrant.concentrate_here",
    "keep up": "quadrant.keep_up",
    "low priority": "quadrant.low_priority",
    "possible overkill": "quadrant.possible_overkill",
    "not distinguishable": "quadrant.not_distinguishable",
}
