"""The digest: a mail a month to who heads or watches units: one figure, what moved, what to do."""
