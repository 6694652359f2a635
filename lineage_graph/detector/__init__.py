"""The learned lineage detector (Yu & Wang, "Neural Lineage", CVPR 2024, section 4): which candidate is the parent?

``portrait`` is what it sees of one model, ``images`` turns one child and its candidates into its inputs, ``score`` asks
it, ``card`` keeps it. ``zoos``, ``dataset``, ``augment`` and ``evaluation`` teach and examine it on zoos that are grown
here. Only ``neural`` imports torch: the network and its training.
"""
