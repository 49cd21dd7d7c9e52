"""Responses of other programs: what columns mean, remembered, and the way into the intake."""
