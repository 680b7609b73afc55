from connectors.olist.spec import SPEC

__all__ = ["SPEC"]
