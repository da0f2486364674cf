"""Settings of Sphinx: ``make doc`` builds the pages offline."""

import deepdensity

project = "deepdensity"
author = "The deepdensity developers"
copyright = "The deepdensity developers"
release = version = deepdensity.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
]
templates_path = ["_templates"]
exclude_patterns = ["_build"]
html_theme = "pydata_sphinx_theme"
html_theme_options = {"show_prev_next": False, "icon_links": []}
html_sidebars = {"**": ["sidebar-nav-bs"]}
autosummary_generate = True
autodoc_inherit_docstrings = True
numpydoc_show_class_members = False
nitpicky = False
