"""Charts: from answers to Vega-Lite specifications, and from these to SVG, PNG and script."""
