"""Plans that change the tree: reading, checking, carrying out, undoing."""
