"""Segmenters behind one contract, each in an environment of its own."""
