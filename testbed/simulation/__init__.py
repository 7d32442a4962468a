"""Runs many simulations (sim/) at once and says what came of them."""
