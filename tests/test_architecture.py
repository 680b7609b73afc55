"""The import rule and the layout (the plan that the README draws), as tests."""

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.registry import SPECS

ROOT = Path(__file__).resolve().parent.parent
APPS = ("connectors", "catalog", "orders", "portal")  # each may import itself and those before it
TOP_LEVEL = {
    "LICENSE", "Makefile", "README.md", "catalog", "connectors", "manage.py", "orders", "portal",
    "pyproject.toml", "requirements.lock", "templates", "tests",
}  # fmt: skip
# Models exist only when every app is loaded.
HEAR_OF_TABLES = {"connectors/apps.py", "portal/apps.py"}
# What few requests need takes 5 MB of every process.
LARGE_AND_RARE = {
    "catalog/spreadsheets/columns.py", "catalog/spreadsheets/files.py", "portal/api/urls.py",
    "portal/pages/login.py",
}  # fmt: skip

FILES = sorted(
    file.relative_to(ROOT).as_posix()
    for app in APPS
    for file in (ROOT / app).rglob("*.py")
    if "migrations" not in file.parts
)
every_file = pytest.mark.parametrize("name", FILES)


def tree_of(name: str) -> ast.Module:
    return ast.parse((ROOT / name).read_text())


def imports_in(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom))


def modules_in(name: str) -> set[str]:
    """Every module that the file may mean: `from a import b` is `a` and perhaps `a.b`."""
    modules: set[str] = set()
    for node in imports_in(tree_of(name)):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        else:
            modules |= {f"{node.module}", *(f"{node.module}.{alias.name}" for alias in node.names)}
    return modules


def is_within(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def named_platforms(name: str) -> set[str]:
    modules = modules_in(name)
    return {slug for slug in SPECS if any(is_within(m, f"connectors.{slug}") for m in modules)}


@every_file
def test_a_module_imports_its_own_app_or_an_app_to_its_left(name: str) -> None:
    app = name.partition("/")[0]

    imported = {module.partition(".")[0] for module in modules_in(name)} & {*APPS, "tests"}

    assert imported <= set(APPS[: APPS.index(app) + 1])


@every_file
def test_imports_are_absolute_and_at_the_top_of_the_file(name: str) -> None:
    tree = tree_of(name)

    relative = [n.lineno for n in imports_in(tree) if isinstance(n, ast.ImportFrom) and n.level]
    inner = [node.lineno for node in imports_in(tree) if node not in tree.body]

    assert relative == []
    assert inner == [] or name in HEAR_OF_TABLES | LARGE_AND_RARE


@every_file
def test_only_the_registry_names_a_platform(name: str) -> None:
    folder = set(Path(name).parts[1:2]) & set(SPECS)

    named = named_platforms(name) - folder

    assert named == (set(SPECS) if name == "connectors/registry.py" else set())


@every_file
def test_nobody_asks_which_platform_it_is(name: str) -> None:
    compared = {
        operand.value
        for node in ast.walk(tree_of(name))
        if isinstance(node, ast.Compare)
        for operand in (node.left, *node.comparators)
        if isinstance(operand, ast.Constant)
    }

    assert compared & set(SPECS) == set()


@pytest.mark.parametrize("slug", SPECS)
def test_a_platform_folder_needs_no_database(slug: str) -> None:
    names = [name for name in FILES if name.startswith(f"connectors/{slug}/")]

    imported = {module for name in names for module in modules_in(name)}

    assert names != []
    assert [m for m in imported if is_within(m, "connectors.models")] == []
    assert [m for m in imported if is_within(m, "django.db")] == []


def test_the_sandbox_runs_without_django_and_without_the_portal() -> None:
    names = [name for name in FILES if name.startswith("connectors/sandbox/")]
    script = (
        "import sys, connectors.sandbox.kinds, connectors.sandbox.server;"
        f"print(sorted({{m.partition('.')[0] for m in sys.modules}} & {{'django', *{APPS[1:]!r}}}))"
    )

    loaded = subprocess.run(  # noqa: S603  our own words
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )

    imported = {module.partition(".")[0] for name in names for module in modules_in(name)}
    assert names != []
    assert imported & {"django", "rest_framework", *APPS[1:]} == set()
    assert loaded.stdout == "[]\n"


def test_a_web_process_begins_without_what_few_requests_need() -> None:
    script = (
        "import sys, portal.wsgi; from django.urls import resolve; resolve('/healthz');"
        "rare = {'openpyxl', 'qrcode', 'unittest', 'django.test', 'drf_spectacular.plumbing'};"
        "print(sorted(rare & {*sys.modules}))"
    )

    loaded = subprocess.run(  # noqa: S603  our own words
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert loaded.stdout == "[]\n"


@every_file
def test_no_signals_between_our_apps(name: str) -> None:
    signals = {
        module
        for module in modules_in(name)
        if is_within(module, "django.dispatch")
        or module.startswith(("django.db.models.signals.", "django.core.signals."))
    }

    # Django's own word that the tables are there; nothing of ours is told by it.
    assert signals == (
        {"django.db.models.signals.post_migrate"} if name in HEAR_OF_TABLES else set()
    )


def test_nothing_is_called_utils() -> None:
    assert [name for name in FILES if Path(name).stem in {"utils", "helpers", "common"}] == []


def test_the_top_level_holds_what_the_plan_lists_and_nothing_else() -> None:
    names = {name for name in top_level() if not name.startswith(".")}

    assert names == TOP_LEVEL


def top_level() -> set[str]:
    """What is, or would be, committed; without a checkout, what lies in the folder."""
    git = shutil.which("git")
    if git is not None:
        listing = subprocess.run(  # noqa: S603  our own words
            [git, "ls-files", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if listing.returncode == 0:
            return {line.partition("/")[0] for line in listing.stdout.splitlines()}
    return {entry.name for entry in ROOT.iterdir() if entry.name != "__pycache__"}
