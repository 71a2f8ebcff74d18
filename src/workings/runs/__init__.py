"""Recipes, run folders, and training from data to a finished run."""
