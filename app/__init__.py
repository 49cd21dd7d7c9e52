"""The service: HTTP, database, pages. It computes no statistics itself; ``analysis`` does."""
