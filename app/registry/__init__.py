"""Units, their validity, survey points with their public codes, and published questionnaires."""
