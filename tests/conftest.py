"""Set before scipy and torch are imported, which read these only then."""

import os

# one of scikit-learn's checks is skipped without it
os.environ.setdefault("SCIPY_ARRAY_API", "1")
# some tests run fits side by side: threads that wait must not keep the cores busy
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
