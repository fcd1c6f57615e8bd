"""Synthetic fluorescence microscopy with exact labels."""
