"""Retention: what is kept no longer is deleted by rule, what is withdrawn by wish; sums stay."""
