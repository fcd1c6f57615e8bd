"""Scenes painted with the light of real microscopy, by small networks that know exact geometry."""
