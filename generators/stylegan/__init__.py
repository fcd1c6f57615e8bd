"""StyleGAN3 and StyleGAN2 from the papers; needs the extra `networks`."""
