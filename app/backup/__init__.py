"""Backup: copies of the database that are proven, put back, and carried to the other store."""
