"""From counts of genes in cells to what the estimators take, AnnData included."""

from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from scipy import sparse
from sklearn.base import (
    BaseEstimator,
    OneToOneFeatureMixin,
    TransformerMixin,
)
from sklearn.utils import check_array
from sklearn.utils._param_validation import Interval
from sklearn.utils.sparsefuncs import mean_variance_axis
from sklearn.utils.validation import check_is_fitted, validate_data

from ._decorators import fit_context
from ._typing import Array, Samples
from .utils.user_warnings import warn

__all__ = ["CountsTransformer"]

LARGEST_LOGARITHM = 20  # to base 2, of a million
N_LOOKED_AT = 100_000  # values


class CountsTransformer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    r"""Normalise the counts of each cell to one total, and take logarithms.

    .. math::
        z_{ij} = \log\Big(1 + \frac{t}{\sum_l x_{il}} x_{ij}\Big)

    :math:`x_{ij}` is the count of gene j in cell i, and t the median total of the cells
    seen in `fit` that have any counts. Cells without counts stay zero. An AnnData
    object may go straight into a pipeline that begins with this transformer;
    ``anndata`` itself is not needed, nor imported.

    Parameters
    ----------
    layer : str, default=None
        Layer of the AnnData object with the counts; None is its ``X``.
    target_sum : float, default=None
        The total t. None is the median.
    n_top_genes : int, default=None
        How many genes to keep: those whose logarithms :math:`z_{ij}` vary most over the
        cells seen in `fit`, in the order in which they come. Totals are always of all
        genes. None keeps all.

    Attributes
    ----------
    target_sum_ : float
        The total t, in counts a cell.
    variances_ : ndarray of shape (n_features,)
        Variance of each gene's logarithms; None without `n_top_genes`.
    top_genes_ : ndarray of int of shape (n_top_genes,)
        Columns of the genes that are kept; None without `n_top_genes`, for all.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the genes, of an AnnData object or a data frame.

    Examples
    --------
    >>> import numpy as np
    >>> from deepdensity.single_cell import CountsTransformer
    >>> counts = np.array([[3, 1, 0], [0, 2, 2], [10, 0, 10]])
    >>> Z = CountsTransformer().fit_transform(counts)
    >>> np.expm1(Z).round(3)
    array([[3., 1., 0.],
           [0., 2., 2.],
           [2., 0., 2.]], dtype=float32)
    """

    feature_names_in_: Array

    _parameter_constraints: dict[str, Any] = {
        "layer": [str, None],
        "target_sum": [Interval(Real, 0, None, closed="neither"), None],
        "n_top_genes": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(
        self,
        *,
        layer: str | None = None,
        target_sum: float | None = None,
        n_top_genes: int | None = None,
    ) -> None:
        self.layer = layer
        self.target_sum = target_sum
        self.n_top_genes = n_top_genes

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Samples, y: Any = None) -> Self:
        """Learn the median total and, if asked for, the genes to keep.

        Parameters
        ----------
        X : AnnData, or array-like or sparse matrix of shape (n_cells, n_genes)
            Counts.
        y : Ignored

        Returns
        -------
        self
        """
        X = self._counts(X, reset=True)
        if look_like_logarithms(X):
            warn(
                "X holds values that are not whole numbers, and none above "
                f"{LARGEST_LOGARITHM}: they look like logarithms of counts already. "
                "CountsTransformer takes raw counts; in an AnnData object they are "
                "often in a layer (layer=...).",
                UserWarning,
            )
        n_top = self.n_top_genes
        if n_top is not None and n_top > X.shape[1]:
            raise ValueError(
                f"n_top_genes={n_top} should be <= n_features={X.shape[1]}."
            )
        totals = cell_totals(X)
        if self.target_sum is not None:
            self.target_sum_ = float(self.target_sum)
        elif totals.any():
            self.target_sum_ = float(np.median(totals[totals > 0]))
        else:
            raise ValueError(
                "X has no count above 0: there is no median total. Give target_sum, or "
                "cells with counts."
            )
        self.top_genes_ = self.variances_ = None
        if n_top is not None:
            Z = log_normalise(X, self.target_sum_)
            self.variances_ = gene_variances(Z)
            by_variance = np.argsort(-self.variances_, kind="stable")
            self.top_genes_ = np.sort(by_variance[:n_top])
        return self

    def transform(self, X: Samples) -> Array:
        """Logarithms of the normalised counts.

        Parameters
        ----------
        X : AnnData, or array-like or sparse matrix of shape (n_cells, n_genes)
            Counts of the genes seen in `fit`, in the same order.

        Returns
        -------
        ndarray or CSR of shape (n_cells, n_genes or n_top_genes)
            Sparse where the counts are. float64 for float64 counts, else float32.
        """
        check_is_fitted(self)
        X = self._counts(X, reset=False)
        Z = log_normalise(X, self.target_sum_)
        kept: Array = Z if self.top_genes_ is None else Z[:, self.top_genes_]
        return kept

    def get_feature_names_out(self, input_features: Samples = None) -> Array:
        """Names of the genes that `transform` gives.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of all genes; None is those seen in `fit`, or "x0", "x1", ...

        Returns
        -------
        ndarray of str
        """
        check_is_fitted(self)
        names: Array = super().get_feature_names_out(input_features)
        return names if self.top_genes_ is None else names[self.top_genes_]

    def _counts(self, X: Samples, reset: bool) -> Any:
        """Valid counts (n, d), array or CSR, of float32 or float64."""
        options = {"accept_sparse": "csr", "dtype": [np.float32, np.float64]}
        if is_anndata(X):
            names = np.asarray(X.var_names, dtype=object)
            matrix = self._matrix(X)
            if reset or not hasattr(self, "feature_names_in_"):
                matrix = validate_data(self, matrix, reset=reset, **options)
            else:
                check_genes(self.feature_names_in_, names)
                matrix = check_array(matrix, **options)
            if reset:
                self.feature_names_in_ = names
        elif self.layer is not None:
            raise ValueError(
                f"layer={self.layer!r} needs an AnnData object; X is "
                f"{type(X).__name__}. Leave layer=None for plain counts."
            )
        else:
            matrix = validate_data(self, X, reset=reset, **options)
        # a sparse matrix's own min() would sort the entries of the user's matrix
        values = matrix.data if sparse.issparse(matrix) else matrix
        lowest = values.min(initial=0)
        if lowest < 0:
            raise ValueError(
                "Negative values in data passed to X in CountsTransformer: the lowest "
                f"is {lowest:g}. It takes raw counts, which are 0 or more; in an "
                "AnnData object they are often in a layer (layer=...)."
            )
        return matrix

    def _matrix(self, adata: Any) -> Any:
        """Counts of an AnnData object: its X or the layer, in memory."""
        layers = sorted(adata.layers.keys())
        if self.layer is None:
            matrix = adata.X
            if matrix is None:
                raise ValueError(
                    f"The AnnData object has no X; layer should be one of {layers}."
                )
        elif self.layer in layers:
            matrix = adata.layers[self.layer]
        else:
            raise ValueError(
                f"layer={self.layer!r} is not in the AnnData object; it should be one "
                f"of {layers}, or None for X."
            )
        to_memory = getattr(matrix, "to_memory", None)  # of an object that is backed
        return matrix if to_memory is None else to_memory()

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.positive_only = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def look_like_logarithms(X: Samples) -> bool:
    """Whether the first values are not whole numbers, and none of them large."""
    n_rows = -(-N_LOOKED_AT // X.shape[1])
    values = X.data[:N_LOOKED_AT] if sparse.issparse(X) else X[:n_rows]
    whole = (values == np.rint(values)).all()
    return not whole and bool(values.max() <= LARGEST_LOGARITHM)


def is_anndata(X: Samples) -> bool:
    """Whether X looks like an AnnData object: a matrix, layers and names of genes."""
    return all(hasattr(X, name) for name in ("X", "layers", "var_names"))


def check_genes(fitted: Any, names: Any) -> None:
    """Raise ValueError unless the genes are those of `fit`, in their order."""
    if np.array_equal(fitted, names):
        return
    if sorted(map(str, fitted)) == sorted(map(str, names)):
        problem = "the same genes in another order"
    else:
        known, given = set(fitted), set(names)
        missing = [name for name in fitted if name not in given]
        others = [name for name in names if name not in known]
        problem = f"{len(names)} genes"
        if missing:
            problem += f", without {len(missing)} of those: {missing[:5]}"
        if others:
            problem += f", with {len(others)} others: {others[:5]}"
    raise ValueError(
        f"CountsTransformer was fitted on {len(fitted)} genes, and X has {problem}. "
        "Give it adata[:, transformer.feature_names_in_]."
    )


def cell_totals(X: Samples) -> Array:
    """Sum of each row of an array or CSR matrix, in float64: (n,)."""
    return np.asarray(X.sum(axis=1, dtype=np.float64)).ravel()


def log_normalise(X: Samples, target_sum: float) -> Samples:
    """log(1 + x) of rows x scaled to a total; rows of zeros stay. X is left as it is.

    Parameters
    ----------
    X : ndarray or CSR of float of shape (n_cells, n_genes)
    target_sum : float

    Returns
    -------
    ndarray or CSR, of the same type
    """
    totals = cell_totals(X)
    scales = np.divide(
        target_sum, totals, out=np.ones_like(totals), where=totals > 0
    ).astype(X.dtype)
    if not sparse.issparse(X):
        return np.log1p(X * scales[:, None])
    Z = X.copy()
    Z.sum_duplicates()  # the logarithm is of the sum of entries of one place
    Z.data = np.log1p(Z.data * np.repeat(scales, np.diff(Z.indptr)))
    return Z


def gene_variances(Z: Array) -> Any:
    """Variance of each column, over the rows: float64 (n_genes,)."""
    if sparse.issparse(Z):
        return mean_variance_axis(Z, axis=0)[1].astype(np.float64)
    return Z.var(axis=0, dtype=np.float64)
