"""Photographs of what was drawn (background, light, lens, sensor); rows of text for the recogniser."""
