"""What is made from a run folder: one HTML file, baselines beside the net, the worst mistakes."""
