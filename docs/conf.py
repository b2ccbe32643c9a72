"""How the documentation is built: ``make docs``.  Nothing is fetched: fonts, scripts and formulas are in the pages."""

import sys
from pathlib import Path

import simnet

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "simnet"
author = "The simnet maintainers"
copyright = author
version = release = simnet.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "mathml",
    "studies",
    "top_level",
    "unicode_docstrings",
]
exclude_patterns = ["examples"]
templates_path = ["_templates"]

myst_enable_extensions = ["dollarmath", "deflist", "colon_fence"]
myst_heading_anchors = 3
math_number_all = False
html_math_renderer = "mathml"

autosummary_generate = True
autosummary_ignore_module_all = False
autosummary_imported_members = True
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
napoleon_use_rtype = False
napoleon_use_param = False
napoleon_use_ivar = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 100

# references inside the project must resolve; NumPy and its neighbours are not looked up, that would need the network
nitpicky = True
nitpick_ignore_regex = [("py:.*", r"(?!simnet\b).*")]
nitpick_ignore = [  # internal: in signatures, and in no page
    ("py:class", "simnet.matrices.passes.Finish"),
    ("py:class", "simnet.networks.structure.Step"),
    ("py:class", "simnet.learning.blind.Data"),
    ("py:class", "simnet.learning.ranks.Coordinates"),
    ("py:class", "simnet.learning.ranks.ActivityRanks"),
    ("py:class", "simnet.report.tables.Table"),
]

html_theme = "furo"
html_title = "simnet"
html_static_path = ["_static"]
html_css_files = ["simnet.css"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {"navigation_with_keys": True}
