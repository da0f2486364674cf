"""Settings of Sphinx: ``make doc`` builds the pages offline and runs the gallery."""

import sys
from importlib.util import find_spec
from pathlib import Path

import deepdensity

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # of benchmarks, which is not installed

project = "deepdensity"
author = "The deepdensity developers"
copyright = "The deepdensity developers"
release = version = deepdensity.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "matplotlib.sphinxext.plot_directive",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "gallery"]
nitpicky = False

html_theme = "pydata_sphinx_theme"
html_theme_options = {"show_prev_next": False, "icon_links": []}
html_sidebars = {"**": ["sidebar-nav-bs"]}
# MathJax comes with the pages, so that they can be read offline
mathjax_path = "mathjax/tex-chtml.js"
html_static_path = [
    str(Path(find_spec("sphinx-mathjax-offline").origin).parent / "static")
]

autosummary_generate = True
autodoc_inherit_docstrings = False  # of torch and skorch
autodoc_typehints = "none"  # the docstrings name the types
numpydoc_show_class_members = False

# the user guide's pictures, each drawn by a script of doc/pictures
plot_basedir = "pictures"
plot_formats = [("png", 150)]
plot_html_show_formats = False
plot_html_show_source_link = False

sphinx_gallery_conf = {
    "examples_dirs": "gallery",
    "gallery_dirs": "auto_examples",
    "within_subsection_order": "FileNameSortKey",
    "abort_on_example_error": True,
    "parallel": True,  # as many pages at a time as sphinx -j says
    "doc_module": ("deepdensity",),
    "reference_url": {"deepdensity": None},
    "backreferences_dir": "generated/backreferences",
    "download_all_examples": False,
    "show_signature": False,
    "ignore_repr_types": r"deepdensity\.inspection|matplotlib",
}


def draw_courses(app):
    """The pictures of the papers' page, of which the repository has the numbers."""
    from benchmarks.papers import pictures, store
    from benchmarks.papers.runner import RESULTS

    pictures.draw(store.read(RESULTS / "curves.csv"), RESULTS)


def setup(app):
    app.connect("builder-inited", draw_courses)
