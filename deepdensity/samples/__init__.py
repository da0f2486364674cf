"""X as users hold it: dense or sparse, in memory or on disk, vectors or images.

``layout`` says how samples lie in it, ``checks`` whether they suit a fit; ``rows``
reads those that are asked for, ``unpacking`` reads chunks once for all epochs, and
``inputs`` makes the batches that networks take, ``variance`` what IDCL's loss is
weighed by.
"""
