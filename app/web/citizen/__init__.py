"""The citizen's form."""
