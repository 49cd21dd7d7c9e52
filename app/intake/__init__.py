"""Responses in: what a body may be, what is refused, group commit, paper forms, cells anew."""
