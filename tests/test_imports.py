"""The architecture, read from the imports: arrows point one way, and some stay in their rooms."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted([*(ROOT / "flowviz").rglob("*.py"), *(ROOT / "pages").rglob("*.py")])

ALLOWED = {
    "dash": ("flowviz.app", "flowviz.ui", "pages"),
    "dash_cytoscape": ("flowviz.app", "flowviz.ui", "pages"),
    "dash_mantine_components": ("flowviz.app", "flowviz.ui", "pages"),
    "flask": ("flowviz.app", "flowviz.ui", "pages"),
    "transformer_lens": ("flowviz.models", "flowviz.trace", "flowviz.attention", "flowviz.causal"),
    "transformers": ("flowviz.models", "flowviz.encoders", "flowviz.demo"),
    "faiss": ("flowviz.contexts.search",),
    "conllu": ("flowviz.contexts.corpus",),
    "spacy": ("flowviz.contexts.corpus",),
    "pyarrow": ("flowviz.contexts.store",),
    "sparsify": ("flowviz.factors.learn",),
    "huggingface_hub": ("flowviz.models",),
}
WITHOUT_TORCH = (
    "flowviz.views",
    "flowviz.ui",
    "pages",
    "flowviz.request",
    "flowviz.checked",
    "flowviz.errors",
    "flowviz.inside.types",
    "flowviz.inside.request",
    "flowviz.inside.layout",
    "flowviz.inside.lines",
    "flowviz.inside.stacks",
    "flowviz.inside.json",
    "flowviz.models.kind",
    "flowviz.attention.kinds",
    "flowviz.attention.types",
    "flowviz.attention.request",
    "flowviz.attention.json",
    "flowviz.attention.finder",
    "flowviz.attention.own",
    "flowviz.attention.why_types",
    "flowviz.attention.why_request",
    "flowviz.attention.neuron_types",
    "flowviz.attention.decay_request",
    "flowviz.attention.arrays",
    "flowviz.attention.head_json",
    "flowviz.analyses.types",
    "flowviz.analyses.request",
    "flowviz.analyses.prompts",
    "flowviz.analyses.tables",
    "flowviz.causal.types",
    "flowviz.causal.request",
    "flowviz.interventions.types",
    "flowviz.compare.types",
    "flowviz.compare.request",
    "flowviz.compare.align",
    "flowviz.compare.json",
    "flowviz.contexts.kinds",
    "flowviz.contexts.request",
    "flowviz.contexts.types",
    "flowviz.contexts.json",
    "flowviz.contexts.tables",
    "flowviz.contexts.find",
    "flowviz.contexts.together",
    "flowviz.contexts.corpus",
    "flowviz.contexts.store",
    "flowviz.contexts.search",
    "flowviz.factors.kinds",
    "flowviz.factors.types",
    "flowviz.factors.request",
    "flowviz.factors.json",
    "flowviz.factors.card",
    "flowviz.factors.learn.settings",
    *(
        f"flowviz.factors.look.{part}"
        for part in (
            "types",
            "ranks",
            "gathered",
            "bands",
            "reach",
            "words",
            "sentences",
            "surveyed",
            "files",
            "listing",
        )
    ),
    "flowviz.factors.use.places",
    "flowviz.settings",
    "flowviz.jobs",
    "flowviz.lanes",
    "flowviz.graph.types",
    "flowviz.graph.inspection",
    "flowviz.graph.json",
    "flowviz.graph.layout",
)
PLAIN_GRAPH = tuple(f"flowviz.graph.{part}" for part in ("types", "layout", "json", "inspection"))
PLAIN_INSIDE = tuple(
    f"flowviz.inside.{part}" for part in ("types", "layout", "lines", "stacks", "json", "request")
)
PLAIN_ATTENTION = tuple(
    f"flowviz.attention.{part}"
    for part in (
        "kinds",
        "types",
        "request",
        "json",
        "finder",
        "own",
        "why_types",
        "why_request",
        "neuron_types",
        "decay_request",
        "arrays",
        "head_json",
    )
)
PLAIN_ANALYSES = tuple(
    f"flowviz.analyses.{part}" for part in ("types", "request", "prompts", "tables")
)
PLAIN_CAUSAL = ("flowviz.causal.types", "flowviz.causal.request")
PLAIN_COMPARE = tuple(f"flowviz.compare.{part}" for part in ("types", "request", "json"))
PLAIN_CONTEXTS = tuple(
    f"flowviz.contexts.{part}"
    for part in ("kinds", "request", "types", "json", "tables", "corpus.types", "store.types")
)
PLAIN_FACTORS = tuple(
    f"flowviz.factors.{part}"
    for part in ("kinds", "types", "request", "json", "look.types", "use.places")
)
PLAIN = ("flowviz.checked", "flowviz.errors", "flowviz.interventions.types", *PLAIN_GRAPH,
         "flowviz.models.kind", *PLAIN_INSIDE, *PLAIN_ATTENTION, *PLAIN_ANALYSES, *PLAIN_CAUSAL,
         *PLAIN_COMPARE, *PLAIN_CONTEXTS, *PLAIN_FACTORS)  # fmt: skip
CHANGES = ("flowviz.interventions.changes", "flowviz.interventions.hooks")
ENGINE = (*CHANGES, "flowviz.interventions.types", "flowviz.flow", "flowviz.lens",
          "flowviz.influence", "flowviz.scores", "flowviz.blend", "flowviz.checks",
          "flowviz.values", "flowviz.trace", "flowviz.attention.queries_keys",
          "flowviz.models")  # fmt: skip
MAY_IMPORT = {
    "pages": ("flowviz.ui", "flowviz.views", "flowviz.request", "flowviz.session", *PLAIN),
    "flowviz.ui": ("flowviz.ui", "flowviz.views", "flowviz.request", "flowviz.session", *PLAIN),
    "flowviz.views": ("flowviz.views", *PLAIN),
    "flowviz.graph": ("flowviz.graph", "flowviz.request", "flowviz.errors", *ENGINE),
    "flowviz.inside": ("flowviz.inside", "flowviz.graph", "flowviz.request", "flowviz.checked",
                       "flowviz.errors", *ENGINE),
    "flowviz.analyses": ("flowviz.analyses", "flowviz.inside", "flowviz.graph", "flowviz.request",
                         "flowviz.checked", "flowviz.errors", "flowviz.jobs", *ENGINE),
    "flowviz.causal": ("flowviz.causal", "flowviz.checked", "flowviz.errors", "flowviz.graph",
                       "flowviz.request", *ENGINE),
    "flowviz.compare": ("flowviz.compare", "flowviz.checked", "flowviz.errors", "flowviz.graph",
                        "flowviz.request", *ENGINE),
    "flowviz.interventions": ("flowviz.interventions", "flowviz.causal", "flowviz.graph",
                              "flowviz.errors", "flowviz.factors.kinds", *ENGINE),
    "flowviz.attention": ("flowviz.attention", "flowviz.analyses.prompts",
                          "flowviz.analyses.types", "flowviz.analyses.passes",
                          "flowviz.jobs", "flowviz.graph", "flowviz.request",
                          "flowviz.checked", "flowviz.errors", *ENGINE),
    "flowviz.attention.queries_keys": ("flowviz.trace", "flowviz.models", "flowviz.errors"),
    "flowviz.flow": ("flowviz.values", "flowviz.trace", "flowviz.models", "flowviz.errors",
                     "flowviz.graph.types", *CHANGES),
    "flowviz.lens": ("flowviz.models", "flowviz.errors", "flowviz.graph.types"),
    "flowviz.trace": ("flowviz.models", "flowviz.errors", "flowviz.graph.types", *CHANGES),
    "flowviz.models": ("flowviz.models", "flowviz.errors", "flowviz.graph.types", "flowviz.demo"),
    "flowviz.request": ("flowviz.checked", "flowviz.errors", "flowviz.graph.types",
                        "flowviz.interventions.types", "flowviz.factors.use.places"),
    "flowviz.interventions.types": ("flowviz.errors", "flowviz.graph.types",
                                    "flowviz.factors.kinds"),
    "flowviz.checked": ("flowviz.errors",),
    "flowviz.jobs": ("flowviz.errors", "flowviz.lanes"),
    "flowviz.lanes": (),
    "flowviz.held": ("flowviz.errors", "flowviz.jobs", "flowviz.models",
                     "flowviz.encoders.loaded"),
    "flowviz.encoders": ("flowviz.encoders", "flowviz.attention", "flowviz.analyses.types",
                         "flowviz.graph.types", "flowviz.models", "flowviz.request",
                         "flowviz.checked", "flowviz.checks", "flowviz.jobs", "flowviz.errors"),
    "flowviz.contexts": ("flowviz.contexts", "flowviz.attention", "flowviz.demo",
                         "flowviz.encoders", "flowviz.graph.fields", "flowviz.graph.json_parts",
                         "flowviz.jobs", *PLAIN, *ENGINE),
    "flowviz.contexts.corpus": ("flowviz.contexts.corpus", "flowviz.contexts.kinds",
                                "flowviz.demo", "flowviz.checked", "flowviz.errors"),
    "flowviz.contexts.encode": ("flowviz.contexts.encode", "flowviz.contexts.kinds",
                                "flowviz.attention", "flowviz.encoders", "flowviz.checked",
                                "flowviz.errors", "flowviz.graph.types", *ENGINE),
    "flowviz.contexts.store": ("flowviz.contexts.store", "flowviz.contexts.kinds",
                               "flowviz.contexts.corpus.types", "flowviz.contexts.corpus.align",
                               "flowviz.contexts.encode.types", "flowviz.contexts.together",
                               "flowviz.graph.types", "flowviz.jobs", "flowviz.checked",
                               "flowviz.errors"),
    "flowviz.contexts.search": ("flowviz.contexts.search", "flowviz.contexts.kinds",
                                "flowviz.contexts.store.types", "flowviz.jobs",
                                "flowviz.errors"),
    "flowviz.factors.learn": ("flowviz.factors.learn", "flowviz.factors.sparse",
                              "flowviz.factors.dictionary", "flowviz.factors.splice",
                              "flowviz.contexts.corpus.types", "flowviz.contexts.encode",
                              "flowviz.contexts.store", "flowviz.jobs", *PLAIN),
    "flowviz.factors.sparse": ("flowviz.factors.sparse", "flowviz.errors"),
    "flowviz.factors.look": ("flowviz.factors.look", "flowviz.factors.dictionary",
                             "flowviz.contexts", "flowviz.encoders.loaded", "flowviz.jobs",
                             *PLAIN, *ENGINE),
    "flowviz.errors": (),
    "flowviz.graph.types": ("flowviz.errors",),
}  # fmt: skip


def name_of(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(file): file for file in FILES}


def within(name: str, rooms: tuple[str, ...]) -> bool:
    return any(name == room or name.startswith(room + ".") for room in rooms)


@cache
def imports(module: str, everywhere: bool = True) -> frozenset[str]:
    """What a module imports: at any depth, or only what runs when it is itself imported."""
    tree = ast.parse(MODULES[module].read_text())
    nodes = ast.walk(tree) if everywhere else _at_import(tree)
    return frozenset(name for node in nodes for name in _names(module, node))


def _at_import(tree: ast.AST) -> Iterator[ast.AST]:
    """Statements that run on import: not in functions, not under TYPE_CHECKING."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        yield from _at_import(node)


def _names(module: str, node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, f"{module} imports relatively; write the whole name"
        for alias in node.names:
            whole = f"{node.module}.{alias.name}"
            yield whole if whole in MODULES else str(node.module)


def test_every_module_is_read() -> None:
    assert {"flowviz.session", "flowviz.graph.build", "flowviz", "pages.flow"} <= set(MODULES)
    assert "flowviz.explanation" not in imports("flowviz", everywhere=False)
    assert "flowviz.trace" in imports("flowviz.answering")


@pytest.mark.parametrize("library", ALLOWED)
def test_a_library_stays_in_its_rooms(library: str) -> None:
    users = {name for name in MODULES if any(within(i, (library,)) for i in imports(name, False))}
    lazy = {name for name in MODULES if any(within(i, (library,)) for i in imports(name))}
    typed = {"flowviz.wsgi", "flowviz.commands.serve"}  # they name Flask's type, no more
    assert {name for name in users if not within(name, ALLOWED[library])} == set()
    assert {name for name in lazy - typed if not within(name, ALLOWED[library])} == set()


def test_pictures_and_words_need_no_torch() -> None:
    for name in MODULES:
        if within(name, WITHOUT_TORCH):
            used = {i.split(".")[0] for i in imports(name)}
            assert not used & {"torch", "transformer_lens", "transformers", "jaxtyping"}, name


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_arrows_point_one_way(room: str) -> None:
    for name in MODULES:
        if within(name, (room,)) and not (room == "flowviz.graph" and name in PLAIN_GRAPH):
            own = {i for i in imports(name) if within(i, ("flowviz", "pages"))}
            wrong = {i for i in own if not within(i, (*MAY_IMPORT[room], name))}
            assert not wrong, f"{name} imports {sorted(wrong)}"


def test_no_module_needs_itself() -> None:
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " → ".join([*path[path.index(name) :], name])
        if name in done:
            return
        for other in imports(name, everywhere=False):
            if other in MODULES and other != name:
                visit(other, (*path, name))
        done.add(name)

    for name in MODULES:
        visit(name, ())


LIGHT = """
import sys
import {module}
heavy = {{"torch", "transformers", "dash", "pandas", "numpy"}} & set(sys.modules)
assert not heavy, heavy
"""


def test_light_modules_bring_nothing_heavy() -> None:
    light = (
        "__main__",
        "request",
        "checked",
        "settings",
        "wsgi",
        "jobs",
        "models.catalogue",
        "models.kind",
        "graph.types",
    )
    code = LIGHT.format(module=", ".join(f"flowviz.{name}" for name in light))
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
