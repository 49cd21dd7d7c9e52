"""Data protection: what is kept about persons, as the register that the law wants of an office."""
