"""Tests of how the server meets the network."""
