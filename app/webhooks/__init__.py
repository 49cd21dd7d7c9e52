"""Telling other systems what happened: to whom, what waits to be told, and the signed calls."""
