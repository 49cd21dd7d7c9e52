"""Engine, sessions, base model and bulk writing; knows no room."""

from app.db.base import Base, UtcDateTime
from app.db.database import Database

__all__ = ["Base", "Database", "UtcDateTime"]
