"""Integrity: what was hardly given by citizens, found by rules, set aside, and reviewed."""
