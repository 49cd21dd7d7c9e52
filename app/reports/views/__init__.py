"""What the pages show: each view is one function from a scene to an answer, for pages and API."""
