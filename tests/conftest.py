"""Set before scipy is imported: one of scikit-learn's checks is skipped without it."""

import os

os.environ.setdefault("SCIPY_ARRAY_API", "1")
