"""Pages for four audiences, and the addresses that belong to no other room."""
