# SPDX-License-Identifier: Apache-2.0
"""How Sphinx builds these pages; `make docs` calls it."""

import re
import sys
from enum import EnumMeta
from importlib.metadata import version as version_of
from pathlib import Path

from sphinx.util import inspect
from sphinx.util.nodes import make_refnode

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]  # for the pictures, and for build_support

from build_support.project import site_links
from pythemis import _hints

if sys.version_info < (3, 12):
    # Signatures say Buffer, as with newer Pythons, and not what it consists of.
    _hints.Buffer = type("Buffer", (), {"__module__": "collections.abc"})

project = "pythemis"
author = "the pythemis authors"
project_copyright = f"{author}, Apache-2.0"
release = version_of("pythemis")
version = release

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "command_directive",
    "page_descriptions",
    "picture_directive",
    "recording_directive",
    "stacking_tables",
]
exclude_patterns = ["pictures", "_static"]

# ---- Markdown ----

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4

# ---- The reference, from docstrings ----

default_role = "py:obj"  # what stands in single backticks in a docstring
nitpicky = True
nitpick_ignore_regex = [
    # Python's own, and the names that only type checkers know
    (
        r"py:.*",
        r"(asyncio|abc|collections|copy|datetime|decimal|enum|io|os|pathlib|socket|sqlalchemy|str|types|uuid)\..*|[a-z]+|[A-Z]\w*(Error|Exception)|ABC|Any"
        r"|Buffer|(tuple|Mapping)\[\w+"
        r"|AsyncIterator|Awaitable|Callable|Contexts|Handler|IntEnum|Enum|Iterable|Keys|AsyncKeys|Mapping|Part"
        r"|TypeAlias|Result|pl\.Expr",
    ),
    (r"py:.*", r"(.*\.)?_\w+(\..*)?"),
]
# Extras that these pages are made without.
autodoc_mock_imports = ["dask", "duckdb", "pandas", "polars", "pyarrow", "pyspark"]
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {
    "exclude-members": "error_code,is_control",  # the classes describe them
}
autodoc_preserve_defaults = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True  # the fields of a named tuple would be described twice
python_maximum_signature_line_length = 70
add_module_names = False

# ---- The site ----

html_theme = "furo"
pygments_dark_style = "monokai"
html_title = "pythemis: encryption for Python"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_favicon = "_static/favicon.svg"
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "navigation_with_keys": True,
    "light_logo": "logo.svg",
    "dark_logo": "logo-dark.svg",
    "footer_icons": site_links(),
}
copybutton_prompt_text = r"\$ |>>> "
copybutton_prompt_is_regexp = True
copybutton_copy_empty_lines = False  # of what commands print


def setup(app):
    """Let docstrings be read by people who do not work on the core."""
    app.connect("autodoc-process-signature", show_how_an_object_is_made)
    app.connect("autodoc-process-docstring", leave_out_the_specification)
    app.connect("missing-reference", find_in_another_module)


def find_in_another_module(app, env, node, shown):
    """Let docstrings leave out the module of a name that no other module has."""
    if node.get("refdomain") != "py":
        return None
    found = env.get_domain("py").find_obj(env, None, None, node["reftarget"], None, 1)
    if len(found) != 1:
        return None
    [(name, entry)] = found
    return make_refnode(app.builder, node["refdoc"], entry.docname, entry.node_id, shown, name)


def show_how_an_object_is_made(app, what, name, obj, options, signature, returns):  # noqa: ARG001
    """Show the arguments of ``__init__``, where ``__new__`` does no more than choose a class.

    Members of an enumeration are not made at all.
    """
    if isinstance(obj, EnumMeta):
        return "", None
    if what != "class" or not hasattr(obj.__new__, "__code__"):
        return None
    arguments = inspect.signature(obj.__init__, bound_method=True)
    arguments = arguments.replace(return_annotation=arguments.empty)
    return inspect.stringify_signature(arguments, unqualified_typehints=True), None


def leave_out_the_specification(app, what, name, obj, options, lines):  # noqa: ARG001
    """Leave out where a docstring says which section of the specification it implements."""
    lines[:] = [re.sub(r" \(specification, section \d\)", "", line) for line in lines]
