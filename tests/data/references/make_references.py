"""Computes trends.json with pymannkendall, which the tests do not need to have installed.

Run: python make_references.py > trends.json  (pymannkendall 1.4.3, NumPy)
"""

import json

import numpy as np
import pymannkendall

rng = np.random.default_rng(20201)
cases = []
for n, slope, decimals in ((8, 0.01, 3), (24, 0.002, 2), (24, -0.004, 1), (36, 0.0, 3)):
    values = np.round(0.8 + slope * np.arange(n) + rng.normal(0, 0.03, n), decimals)
    plain = pymannkendall.original_test(values)
    cases.append(
        {"values": values.tolist(), "s": float(plain.s), "variance": float(plain.var_s),
         "z": float(plain.z), "p": float(plain.p), "slope": float(plain.slope)}
    )  # fmt: skip
season = np.round(
    0.8 + 0.05 * np.sin(np.arange(48) / 12 * 2 * np.pi) + 0.001 * np.arange(48)
    + rng.normal(0, 0.02, 48), 2,
)  # fmt: skip
found = pymannkendall.seasonal_test(season, period=12)
print(
    json.dumps(
        {
            "made_with": {"pymannkendall": pymannkendall.__version__, "numpy": np.__version__},
            "cases": cases,
            "seasonal": {"values": season.tolist(), "period": 12, "s": float(found.s),
                         "z": float(found.z), "p": float(found.p)},
        }
    )
)  # fmt: skip
