"""Pages of those who run surveys: accounts, keys, devices, posters, limits, notes, audit log."""
