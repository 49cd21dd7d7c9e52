"""Charts and documents are drawn by a process of its own, renewed before it grows large."""
