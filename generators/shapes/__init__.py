"""Shapes of nuclei and cells: sources behind one interface, and how real they are."""
