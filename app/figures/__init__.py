"""Figures: typed results from cells and responses, behind the caller's filters and gates."""
