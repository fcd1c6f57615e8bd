"""Spots painted with the light of real ones; their positions and photons stay true."""
