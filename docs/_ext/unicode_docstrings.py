"""Docstrings as they are written: indented formulas stay lines, and names of re-exported things resolve.

A docstring sets a formula in Unicode on lines of its own, indented.  reStructuredText would flow these into a quotation, and
read ``|x|`` and ``x_`` as markup; here they become literal blocks before anything else sees them.
"""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

#: Lines after which an indented block has a meaning of its own: directives, lists, explicit literal blocks, tables.
SPECIAL = re.compile(r"^(\.\. |[*\-] |\d+\. |.*::$|[=\-+~]{3,})")


def literal_formulas(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """``::`` before each indented block that follows a paragraph and an empty line."""
    result: list[str] = []
    last = ""  # the last line that is not empty
    for i, line in enumerate(lines):
        indented = line.startswith("    ")
        if indented and i and not lines[i - 1].strip() and last and not last.startswith(" ") and not SPECIAL.match(last):
            result += ["::", ""]
        result.append(line)
        if line.strip():
            last = line
    lines[:] = result


def public_home(app: Sphinx, env: BuildEnvironment, node: pending_xref, contnode: nodes.Element) -> nodes.reference | None:
    """The one documented object of that name, for a name given by the module in which it happens to be written."""
    target = node.get("reftarget", "")
    if node.get("refdomain") != "py" or not target:
        return None
    python = env.domains.python_domain
    last = target.rpartition(".")[2]
    found = [name for name in python.objects if name == last or name.endswith(f".{last}")]
    inside = [name for name in found if name.startswith("simnet.")]
    best = sorted(inside, key=lambda name: (name.count("."), name))
    if not best or (len(best) > 1 and not target.startswith("simnet") and not target[:1].isupper()):
        return None
    entry = python.objects[best[0]]
    refuri = app.builder.get_relative_uri(node["refdoc"], entry.docname)
    return nodes.reference("", "", contnode, internal=True, refuri=f"{refuri}#{entry.node_id}", reftitle=best[0])


def setup(app: Sphinx) -> dict[str, bool]:
    """Register both, the first before the sections of a docstring are read."""
    app.connect("autodoc-process-docstring", literal_formulas, priority=100)
    app.connect("missing-reference", public_home)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
