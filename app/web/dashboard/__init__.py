"""The dashboard: pages over the views, with their charts."""
