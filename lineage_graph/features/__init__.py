"""Evidence from features: probes, networks from checkpoints, linearization, similarities."""
