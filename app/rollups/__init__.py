"""Sufficient statistics: what a cell keeps, adding to cells, reading them."""
