"""The synthetic province: drawn with a seed, labelled, sent through the real HTTP intake."""
