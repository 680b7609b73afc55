from connectors.pluga.spec import SPEC

__all__ = ["SPEC"]
