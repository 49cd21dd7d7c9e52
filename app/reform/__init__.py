"""What a change of the tree means for all rooms: who follows, the dry run, the command."""
