"""Pix2PixHD from its paper, arXiv 1711.11585; needs the extra `networks`."""
