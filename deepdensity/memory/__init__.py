"""Steps of a fit that are kept on disk, for other fits that would repeat them.

A search over the clustering phase's parameters fits many times from one pretrained
network. With ``memory="a_folder"`` (or a :class:`joblib.Memory`) the search for each
vector's neighbours, the pretraining and the choice of the start are done once for all
that share them, whichever the estimator (but that IDCL's start on vectors is its own),
and the clustering phase once for fits that are the same: the refit of a search trains
nothing, and a search that was broken off goes on where it was. The results are those of
fits without it, to the last bit. What a step depends on makes its key:

- X, the network, its weights and code, the state of the random generator;
- `lr`, `batch_size`, `schedule`, `precision`, `compile`, `augment` and `device`; of
  pretraining the number of epochs, and for vectors, where clusters are of fewer than 20
  samples, `n_clusters`, which neighbours depend on there; of the start `n_clusters`,
  `init`, `n_init` and its seed; of the clustering phase its start and all parameters of
  the estimator;
- the versions of Python and of the libraries, the processor's vector instructions and
  the number of threads, which all decide how sums are rounded.

It is not used where ``random_state=None`` asks for chance, nor with `callbacks`, which
would not be called and may change the training. Where a network or an augmentation of
one's own cannot be hashed a warning says so, and the step is done. What is kept grows,
by the weights of the network for each step, until it is cleared, by
``joblib.Memory("a_folder").clear()`` or
``reduce_size(bytes_limit=...)``. It is read by pickle: share a folder only with those
you trust. Candidates that run side by side and begin together each do the step.

With ``n_jobs`` joblib gives its worker processes fewer threads than the main process
has, so that the refit, in that one, finds nothing of theirs and trains again. A search
inside ``joblib.parallel_config("loky", inner_max_num_threads=torch.get_num_threads())``
has the same number in both, and its refit trains nothing there either.
"""
