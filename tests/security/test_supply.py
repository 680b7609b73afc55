"""What the portal is made of is pinned, and told as CycloneDX."""

import json
import re
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings

LOCK = (settings.BASE_DIR / "requirements.lock").read_text("utf-8")
PINNED = re.findall(r"^([a-z0-9][\w.-]*)(?:\[.*?\])?==(\S+)", LOCK, re.MULTILINE)


@pytest.fixture(scope="module")
def bill() -> dict[str, Any]:
    command = [sys.executable, settings.BASE_DIR / ".ci" / "sbom.py"]
    told = subprocess.run(command, capture_output=True, check=True, timeout=60)  # noqa: S603
    document: dict[str, Any] = json.loads(told.stdout)
    return document


def test_everything_is_pinned_with_its_hashes() -> None:
    packages = re.split(r"^(?=[a-z0-9])", LOCK, flags=re.MULTILINE)[1:]

    assert len(packages) == len(PINNED)
    assert all("--hash=sha256:" in package for package in packages)


def test_all_that_is_pinned_is_told(bill: dict[str, Any]) -> None:
    told = {(each["name"], each["version"]) for each in bill["components"]}

    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert told == set(PINNED)
    for each in bill["components"]:
        [where] = each["externalReferences"]
        assert where["hashes"]
        assert all(re.fullmatch("[0-9a-f]{64}", one["content"]) for one in where["hashes"])


def test_what_only_developers_need_is_no_part_of_what_runs(bill: dict[str, Any]) -> None:
    scopes = {each["name"]: each["scope"] for each in bill["components"]}

    assert {scopes[name] for name in ("django", "urllib3", "psycopg-binary")} == {"required"}
    assert {scopes[name] for name in ("pytest", "ruff", "playwright")} == {"excluded"}


def test_every_need_is_one_of_those_told(bill: dict[str, Any]) -> None:
    known = {each["bom-ref"] for each in bill["components"]}
    own = bill["metadata"]["component"]["bom-ref"]

    assert {each["ref"] for each in bill["dependencies"]} == {own} | known
    assert all(set(each["dependsOn"]) <= known for each in bill["dependencies"])
