"""Training a 3D StyleGAN: recipes, steps, and runs that resume exactly."""
