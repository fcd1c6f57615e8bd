"""Recipes fitted to images that nobody has labelled: `docs/recipes.md`, Like your own images."""
