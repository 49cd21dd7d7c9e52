"""Cases: what citizens want a reply to or are discontent with, until somebody has dealt with it."""
