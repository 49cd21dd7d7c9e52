"""Themes: what comments are about: word lists by question, their versions, and finding them."""
