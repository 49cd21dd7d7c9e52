"""Responses in: what a body may be, what is refused, group commit, the import, the replay."""
