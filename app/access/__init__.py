"""Who may do what: rights, credentials of devices and systems, and the doors of the routes."""
