"""Stuffing: worlds in which it is and is not, and the promise about finding it."""
