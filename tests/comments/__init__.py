"""How well themes are found: labelled lines, and what is measured on them."""
