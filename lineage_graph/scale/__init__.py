"""From stored fingerprints to the lineage graph, column by column: for zoos of up to a million models and more.

The ordinary build reads the weights of every candidate pair. Here nothing but ``index.arrow`` is read, all evidence
comes from sketches and numbers that fingerprints hold, and every stage works on whole arrays::

    population   index.arrow → columns, in the order of the models' digests
    neighbours   sketches → the nearest of each model among those of its shape signature
    judged       pairs of models → related or not, of which kind, how far apart, what their cues say
    forest       related pairs → spanning forest, and the walk down its trees
    rooted       cues along the trees → each tree's root
    merged       which models are sums of others
    margins      how firmly each edge is there
    assembled    all of these in turn
    written      the graph as streams
"""
