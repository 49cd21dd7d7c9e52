"""Provinces with honest and stuffed responses, in which the detectors are judged.

Drawn person by person and minute by minute; nothing here is taken from the detectors, nor does
it know what they look for.
"""
