"""The service: HTTP, database, pages. It computes no statistics itself; ``analysis`` does."""

import gc
import os
from importlib.metadata import version

#: The release, which every answer with figures names.
RELEASE = version("hailong")

# Before anything imports NumPy: matrices here are small, and each thread of linear algebra holds
# memory and takes processors from the intake. Who serves nothing may ask for more.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# What is imported stays, a million objects of it, and waiting responses have no reference cycles:
# with Python's defaults the collector takes a third of the time of both, to find nothing.
gc.set_threshold(100_000, 20, 20)
