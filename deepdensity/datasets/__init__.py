"""The data sets of the papers, loaded as scikit-learn's ``fetch_*`` functions load.

Each function returns a :class:`sklearn.utils.Bunch` (or ``data, target``). ``data`` has
a row for each sample; ``image_shape`` says what image a row is, in the form that the
estimators take it::

    from deepdensity import IDCLClustering
    from deepdensity.datasets import fetch_usps

    usps = fetch_usps()
    IDCLClustering(10, image_shape=usps.image_shape).fit(usps.data)

Looked for first is an ``.npz`` file of the set in the data home: by default
scikit-learn's (:func:`sklearn.datasets.get_data_home`), or the folder `data_home`. It
holds ``X`` and ``y``, see the functions. Without one the set is downloaded, where its
source has a checksum, converted and kept there as such a file. Downloads that scikit-
learn does not make itself need ``pooch`` (``pip install pooch``).

:func:`load_npz` loads such a file of any other set.
"""

from ._digits import fetch_fashion_mnist, fetch_mnist, fetch_usps
from ._faces import fetch_ytf
from ._letters import fetch_emnist_letters
from ._local import load_npz
from ._objects import fetch_cifar10, fetch_stl10
from ._signs import fetch_gtsrb
from ._text import fetch_reuters10k

__all__ = [
    "fetch_cifar10",
    "fetch_emnist_letters",
    "fetch_fashion_mnist",
    "fetch_gtsrb",
    "fetch_mnist",
    "fetch_reuters10k",
    "fetch_stl10",
    "fetch_usps",
    "fetch_ytf",
    "load_npz",
]
