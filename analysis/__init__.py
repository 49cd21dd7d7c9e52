"""Statistics on arrays, one entry a unit: NumPy and SciPy only, no database, no HTTP, no forms.

Every function takes arrays that broadcast against one another and returns a frozen dataclass of
arrays. Where a figure is undefined (a unit nobody answered for) the entry is NaN; impossible
input raises ``ValueError`` with the argument's name.
"""
