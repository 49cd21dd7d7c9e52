"""The HTTP interface over figures and the registry."""
