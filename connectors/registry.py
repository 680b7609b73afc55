"""The list of specifications: the only file that names a platform."""

from connectors import (
    linx,
    linxlayer,
    olist,
    otimo,
    pluga,
    pluggto,
    rocky,
    rockyerp,
    webstore,
)
from connectors.spec import Spec, spec_of_gone

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
        rockyerp.SPEC,
        linxlayer.SPEC,
    )
}


def spec_of(slug: str) -> Spec:
    return SPECS.get(slug) or spec_of_gone(slug)
