"""Pages for those who run surveys: accounts, keys, devices, posters, limits, notes, the audit log."""
