"""The part of the detector that imports torch: the network, its training, and all of it in a row."""
