"""Logs: one line an event, failures folded, and nothing about persons.

Rooms write with the standard library (``logging.getLogger("hailong.<room>")``); what becomes of
it is decided here. What a failure *says* is never told, for it quotes what it failed on: its kind,
its place and the path to it are (``failures``).
"""
