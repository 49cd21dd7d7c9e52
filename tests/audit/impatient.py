"""The real server, which looks for new heads at once."""

import functools

import app.main
from app.audit.leaving import keep_heads_leaving
from app.cli import main

app.main.keep_heads_leaving = functools.partial(keep_heads_leaving, look_every_s=0.1)

if __name__ == "__main__":
    main()
