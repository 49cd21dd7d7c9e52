"""How the server meets the network: deadlines, bounds and turns, so that nobody takes it whole."""
