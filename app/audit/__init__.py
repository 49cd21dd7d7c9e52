"""The audit log: who changed what and when, appended only, each entry chained to the last."""
