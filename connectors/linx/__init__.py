from connectors.linx.spec import SPEC

__all__ = ["SPEC"]
