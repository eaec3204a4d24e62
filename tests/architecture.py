"""Rules of the code base that a parser can check (docs/architecture.md, CONTRIBUTING.md).

A rule is a function of one module; it yields a sentence for each place that breaks it. What a rule
forbids is moved or mended, not the rule.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "joblogs"
LONGEST = 300
VAGUE = {"common", "helper", "helpers", "misc", "shared", "util", "utils"}

BASE = {"choices", "errors", "record_json", "records", "refusals", "times"}
BELOW = BASE | {
    "object_store",
    *("models", "logtext", "logtext.store", "grouping", "database", "metrics", "log_features"),
    "failure_tallies",
    *("signatures", "signed_parts", "kept_groups"),
}
LOWER = BELOW | {
    *("access", "app_tokens", "audit", "compare", "counterparts", "export", "failures", "filters"),
    *("ingest", "login_throttle", "query"),
    *("maintenance", "search", "search_audit", "slow_work", "step_groups"),
}

MAY_IMPORT: dict[str, set[str]] = {
    "": set(),  # joblogs/__init__.py
    **dict.fromkeys(BASE, set()),
    "records": {"times"},
    "refusals": {"errors"},
    "record_json": {"records", "times"},
    "metrics": set(),
    "logtext": {"logtext"},
    "grouping": {"grouping"},
    "logtext.store": {"logtext", "logtext.store", "database", "models", "object_store"},
    "object_store": BASE | {"logtext", "models", "database", "object_store"},
    "signatures": {"signatures"},
    "models": BASE | {"models"},
    "database": {"errors", "database"},
    "migrations": {"database"},
    "log_features": BELOW,
    "signed_parts": BELOW,
    "kept_groups": BELOW,
    "access": BASE | {"access", "models", "database"},
    "app_tokens": BASE | {"models", "database"},
    "audit": BELOW | {"access", "audit"},
    "search_audit": BELOW | {"access", "audit", "search"},
    "slow_work": BASE | {"access"},
    "login_throttle": BASE | {"models", "login_throttle"},
    "filters": BELOW | {"access", "filters"},
    "ingest": BELOW | {"access", "ingest"},
    "query": BELOW | {"access", "query"},
    "search": BELOW | {"access", "filters", "query", "search"},
    "counterparts": BELOW | {"access", "compare", "counterparts", "query", "step_groups"},
    "compare": BELOW | {"compare", "query"},
    "export": BELOW | {"access", "export", "filters", "query", "search"},
    "step_groups": BELOW | {"query", "search", "step_groups"},
    "failure_tallies": BELOW,
    "failures": BELOW | {"failures", "query", "step_groups"},
    "maintenance": BELOW
    | {"access", "failures", "filters", "ingest", "query", "maintenance", "search"},
    # Presentation packages. None imports another, but for what commands run and the admin shows.
    "api": LOWER | {"api"},
    "pages": LOWER | {"pages"},
    "notices": LOWER | {"notices", "pages"},
    "admin": LOWER | {"admin", "notices", "pages"},
    "sources": BASE | {"sources"},
    "monitoring": LOWER | {"monitoring", "notices"},
    "middleware": LOWER | {"api", "monitoring"},
    "management": LOWER | {"api", "notices", "management", "mcp", "sources", "demo"},
    "mcp": {"choices", "grouping", "logtext", "mcp"},  # a client of the API
    "demo": {"demo", "records"},
    "shippers": set(),
    "apps": {"checks"},
    "checks": BASE,
}
"""Packages that a package may import from. `logtext`: what is pure in it, all but the store."""

HTTP_PACKAGES = {"admin", "api", "audit", "middleware", "monitoring", "pages"}
QUERYING = (LOWER - BASE - {"logtext", "grouping", "database", "metrics", "signatures"}) | {
    "admin",
    "api.authentication",
    "management",
    "notices",
}


@dataclass(frozen=True)
class Module:
    """The source of one file. `path` starts at the project's folder."""

    path: PurePosixPath
    source: str
    known: frozenset[str] = field(default_factory=frozenset)

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.source, filename=str(self.path))

    @cached_property
    def name(self) -> str:
        """Dotted, below the package: `logtext.store`; `models` for models/__init__.py."""
        parts = self.path.with_suffix("").parts[1:]
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def package(self) -> str:
        return package_of(self.name)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """All of the code: docstrings are prose, and may name what code may not."""
        every = list(ast.walk(self.tree))
        prose = {id(node.value) for node in every if isinstance(node, ast.Expr)}
        return [n for n in every if not (isinstance(n, ast.Constant) and id(n) in prose)]

    def within(self, places: set[str]) -> bool:
        """Whether it is one of these modules, or inside one of these packages."""
        return any(self.name == place or self.name.startswith(place + ".") for place in places)

    def names(self) -> Iterator[tuple[int, str]]:
        """Line and name of whatever the code names."""
        for node in self.nodes:
            yield from ((getattr(node, "lineno", 0), name) for name in named(node))

    def imports(self) -> Iterator[tuple[int, str]]:
        """Line and full name of everything imported, at whatever depth, relative names resolved."""
        for node in self.nodes:
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = self._base(node)
                yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)

    def our_imports(self) -> Iterator[tuple[int, str]]:
        """Line and module, below the package, of what is imported from our own."""
        for line, name in self.imports():
            package, _, rest = name.partition(".")
            if package == PACKAGE and rest != "__version__":  # what the package itself says
                yield line, rest if rest in self.known else rest.rpartition(".")[0] or rest

    def _base(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        folder = self.path.parent.parts[: len(self.path.parent.parts) - node.level + 1]
        return ".".join([*folder, *filter(None, [node.module])])


def modules() -> list[Module]:
    """Every Python file of the package."""
    paths = [
        PurePosixPath(file.relative_to(ROOT)) for file in sorted((ROOT / PACKAGE).rglob("*.py"))
    ]
    known = frozenset(Module(path, "").name for path in paths)
    return [Module(path, (ROOT / path).read_text(encoding="utf-8"), known) for path in paths]


def package_of(name: str) -> str:
    """Package of a module or of a name in it."""
    return "logtext.store" if name.startswith("logtext.store") else name.partition(".")[0]


def named(node: ast.AST) -> Iterator[str]:
    """The names that a node itself uses; a string may be one too."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            yield name
        case ast.alias(name=name):
            yield name.rpartition(".")[2]
        case ast.keyword(arg=str(name)):
            yield name
        case ast.Constant(value=str(text)):
            yield text


Rule = Callable[[Module], Iterator[str]]
RULES: list[Rule] = []


def rule(function: Rule) -> Rule:
    RULES.append(function)
    return function


@rule
def every_module_is_in_a_known_package(module: Module) -> Iterator[str]:
    if module.package not in MAY_IMPORT:
        yield f"docs/architecture.md has no package {module.package!r}: add it there and here first"
    yield from (f"{part!r} names no subject" for part in module.name.split(".") if part in VAGUE)


@rule
def packages_import_only_what_lies_below_them(module: Module) -> Iterator[str]:
    allowed = MAY_IMPORT.get(module.package, set())
    for line, target in module.our_imports():
        if package_of(target) not in allowed:
            yield f"line {line}: {module.package or PACKAGE} may not import {target}"


@rule
def records_and_log_text_know_no_database_and_no_http(module: Module) -> Iterator[str]:
    if module.package not in BASE | {"logtext", "grouping", "metrics", "signatures"}:
        return
    enumerations = {
        "django.db.models.IntegerChoices",
        "django.db.models.TextChoices",
        "django.utils.translation.gettext_lazy",
    }
    for line, name in module.imports():
        known = module.package == "choices" and name in enumerations
        if name.split(".")[0] in {"django", "psycopg", "rest_framework", "sqlite3"} and not known:
            yield f"line {line}: {name}"


@rule
def only_presentation_packages_speak_http(module: Module) -> Iterator[str]:
    if module.package in HTTP_PACKAGES:
        return
    web = ("django.http", "django.shortcuts", "django.template", "django.views", "rest_framework")
    for line, name in module.imports():
        if name.startswith(tuple(f"{package}." for package in web)) or name in web:
            yield f"line {line}: {name}"


@rule
def nothing_listens_to_signals(module: Module) -> Iterator[str]:
    for line, name in module.imports():
        if "signals" in name.split(".") or name.startswith("django.dispatch"):
            yield f"line {line}: {name}; call it where it happens"


@rule
def models_have_no_save_or_delete_of_their_own(module: Module) -> Iterator[str]:
    if module.package != "models":
        return
    for node in module.nodes:
        if isinstance(node, ast.ClassDef):
            for item in node.body:
                name = getattr(item, "name", "")
                if name in {"save", "asave", "save_base", "delete", "adelete"}:
                    yield f"line {item.lineno}: {node.name}.{name}; a bulk write would not call it"


@rule
def imports_name_what_they_take_at_the_top(module: Module) -> Iterator[str]:
    for node in module.nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for inner in ast.walk(node):
                if isinstance(inner, ast.Import | ast.ImportFrom):
                    yield f"line {inner.lineno}: an import inside of {node.name}"
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
            yield f"line {node.lineno}: a star import"
        if isinstance(node, ast.Call) and {"import_module", "__import__"} & set(named(node.func)):
            yield f"line {node.lineno}: an import that this test cannot follow"


@rule
def chunks_are_never_chosen_by_pk_in(module: Module) -> Iterator[str]:
    if not module.within({"logtext.store", "maintenance"}):
        return
    for line, name in module.names():
        if name.endswith("pk__in"):
            yield f"line {line}: pk__in; sliced, on SQLite it deletes every chunk"


@rule
def only_the_store_touches_chunks_and_packs(module: Module) -> Iterator[str]:
    if module.within({"models", "logtext.store", "migrations"}):
        return
    for line, name in module.names():
        model = name.rpartition(".")[2].lower()
        tables = {"joblogs_logchunk", "joblogs_logpack"}
        if model in {"logchunk", "logpack"} or any(table in name for table in tables):
            yield f"line {line}: {name}; use logtext.store"


@rule
def a_chunk_that_is_there_already_is_an_error(module: Module) -> Iterator[str]:
    # database.py has the bulk writes that chunks go through.
    if not module.within({"logtext.store", "maintenance", "database"}):
        return
    lenient = ("ON CONFLICT", "OR IGNORE", "OR REPLACE", "IGNORE_CONFLICTS", "UPDATE_CONFLICTS")
    for line, name in module.names():
        if any(words in name.upper() for words in lenient):
            yield f"line {line}: {name.strip()}"


@rule
def rows_are_looked_up_only_in_the_packages_for_it(module: Module) -> Iterator[str]:
    if module.within(QUERYING):
        return
    for node in module.nodes:
        match node:
            case ast.Attribute(attr="objects" | "_default_manager" | "_base_manager" as name):
                yield f"line {node.lineno}: .{name}; ask access, query or ingest"
            case ast.Call(func=ast.Attribute(attr="filter" | "exclude" as name)):
                yield f"line {node.lineno}: .{name}(…); ask access, query or ingest"


@rule
def only_the_database_package_asks_which_database_it_is(module: Module) -> Iterator[str]:
    if module.within({"database", "migrations"}):
        return
    for node in module.nodes:
        if isinstance(node, ast.Attribute) and node.attr == "vendor":
            yield f"line {node.lineno}: .vendor; what differs belongs into database.py"


@rule
def nothing_is_caught_blindly(module: Module) -> Iterator[str]:
    for node in module.nodes:
        caught: list[ast.AST] = []
        match node:
            case ast.ExceptHandler(type=None):
                yield f"line {node.lineno}: a bare except"
            case ast.ExceptHandler(type=ast.expr() as given):
                caught = list(ast.walk(given))
            case ast.Call(func=function, args=args) if "suppress" in named(function):
                caught = list(args)
        for name in (name for part in caught for name in named(part)):
            if name in {"Exception", "BaseException"}:
                yield f"line {getattr(node, 'lineno', 0)}: catches {name}"


@rule
def files_stay_short(module: Module) -> Iterator[str]:
    length = len(module.source.splitlines())
    # A sender is one file by what it is for: it is copied alone to other machines.
    if length > LONGEST and not module.within({"migrations", "shippers"}):
        yield f"{length} lines, more than {LONGEST}: it holds more than one subject"
