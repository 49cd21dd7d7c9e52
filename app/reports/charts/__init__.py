"""Charts: from views to Vega-Lite specifications, and from these to SVG, PNG and script."""
