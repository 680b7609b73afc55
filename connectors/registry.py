"""The list of specifications: the only file that names a platform."""

from connectors import linx, olist, otimo, pluga, pluggto, rocky, webstore
from connectors.contract import Ability
from connectors.spec import Spec

SPECS: dict[str, Spec] = {
    spec.slug: spec
    for spec in (
        rocky.SPEC,
        webstore.SPEC,
        linx.SPEC,
        otimo.SPEC,
        olist.SPEC,
        pluga.SPEC,
        pluggto.SPEC,
    )
}


def slugs_with(ability: type[Ability]) -> list[str]:
    return [spec.slug for spec in SPECS.values() if ability in spec.flows]
