"""One-time links for finished cases: issuing, sending, burning."""
