"""The learned lineage detector (Yu & Wang, "Neural Lineage", CVPR 2024, section 4): which candidate is the parent?

``portrait`` is what it sees of one model, ``images`` turns one child and its candidates into its inputs, ``network`` is
the network, ``dataset`` and ``training`` teach it on zoos that are grown here, ``card`` keeps it, ``score`` asks it.
"""
