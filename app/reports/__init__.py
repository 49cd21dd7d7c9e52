"""Reads rollups, calls the statistics, shapes results."""
