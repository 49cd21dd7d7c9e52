"""Pages for those who run surveys: accounts, keys, devices, posters, limits, the audit log."""
