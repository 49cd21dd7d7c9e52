"""What the pages show: each view is one function from a context to a typed result."""
