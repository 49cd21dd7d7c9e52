"""Tests of the drawing process."""
