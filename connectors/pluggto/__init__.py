from connectors.pluggto.spec import SPEC

__all__ = ["SPEC"]
