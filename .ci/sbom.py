"""Writes what the portal is made of as CycloneDX 1.6 (cyclonedx.org), on standard output: what
requirements.lock names, with the licences that the installed packages tell.

What only developers need is marked as excluded from what runs.
"""

import json
import re
import sys
import tomllib
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LICENCE = "License :: "
LONGEST_NAME = 60  # some packages give their licence's whole text for its name


@dataclass
class Package:
    name: str
    version: str
    hashes: list[str] = field(default_factory=list)
    wanted_by: set[str] = field(default_factory=set)

    @property
    def purl(self) -> str:
        return f"pkg:pypi/{self.name}@{self.version}"


def locked() -> dict[str, Package]:
    packages: dict[str, Package] = {}
    package = None
    for line in (ROOT / "requirements.lock").read_text("utf-8").splitlines():
        if begun := re.match(r"([a-z0-9][a-z0-9._-]*)(?:\[[^\]]*\])?==(\S+)", line):
            package = packages[begun[1]] = Package(begun[1], begun[2])
        elif package and (found := re.search(r"--hash=sha256:([0-9a-f]{64})", line)):
            package.hashes.append(found[1])
        elif package and (by := re.match(r"\s+#(?: via)?\s+(\S+)", line)):
            package.wanted_by.add(by[1])
    return packages


def named(requirement: str) -> str:
    """As package indexes write it."""
    name = re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]
    return re.sub(r"[-_.]+", "-", name).lower()


def running(packages: dict[str, Package], direct: set[str]) -> set[str]:
    """These, and whatever they need."""
    found = set(direct)
    while more := {p.name for p in packages.values() if p.wanted_by & found} - found:
        found |= more
    return found


def licences(name: str) -> list[dict[str, Any]]:
    try:
        told = metadata(name)
    except PackageNotFoundError:  # of another system or Python
        return []
    if expression := told.get("License-Expression"):
        return [{"expression": expression}]
    classifiers = [c for c in told.get_all("Classifier") or () if c.startswith(LICENCE)]
    names = [c.split(" :: ")[-1] for c in classifiers] or [told.get("License") or ""]
    return [
        {"license": {"name": each}}
        for each in names
        if each and len(each) <= LONGEST_NAME and "\n" not in each
    ]


def component(package: Package, runs: bool) -> dict[str, Any]:
    page = f"https://pypi.org/project/{package.name}/{package.version}/"
    hashes = [{"alg": "SHA-256", "content": content} for content in package.hashes]
    return {
        "type": "library",
        "bom-ref": package.purl,
        "name": package.name,
        "version": package.version,
        "scope": "required" if runs else "excluded",
        "purl": package.purl,
        "licenses": licences(package.name),
        "externalReferences": [{"type": "distribution", "url": page, "hashes": hashes}],
    }


def bill() -> dict[str, Any]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    packages = locked()
    direct = {named(each) for each in project["dependencies"]}
    runs = running(packages, direct)
    own = f"pkg:pypi/{project['name']}@{project['version']}"
    needs = {own: [packages[name].purl for name in sorted(direct)]} | {
        each.purl: sorted(p.purl for p in packages.values() if each.name in p.wanted_by)
        for each in packages.values()
    }
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": own,
                "name": project["name"],
                "version": project["version"],
                "licenses": [{"license": {"id": project["license"]}}],
            }
        },
        "components": [component(each, each.name in runs) for each in packages.values()],
        "dependencies": [{"ref": ref, "dependsOn": on} for ref, on in needs.items()],
    }


if __name__ == "__main__":
    json.dump(bill(), sys.stdout, indent=2)
    sys.stdout.write("\n")
