"""Exact results: Markov chains, episodes, the patent's regimes, bounds."""
