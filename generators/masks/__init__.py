"""Pictures to learn masks from; masks, labels and outlines of the pictures that networks make."""
