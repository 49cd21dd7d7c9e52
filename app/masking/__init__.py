"""What of a citizen's words names a person or opens a door: found, and masked; pure text."""
