from connectors.otimo.spec import SPEC

__all__ = ["SPEC"]
