"""Single responses out, for analysts: one description of columns, written in every format."""
