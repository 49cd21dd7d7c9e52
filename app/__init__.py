"""The service: HTTP, database, pages. It computes no statistics itself; ``analysis`` does."""

import gc
from importlib.metadata import version

#: The release, which every answer with figures names.
RELEASE = version("hailong")

# What is imported stays, a million objects of it, and waiting responses have no reference cycles:
# with Python's defaults the collector takes a third of the time of both, to find nothing.
gc.set_threshold(100_000, 20, 20)
