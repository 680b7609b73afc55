from connectors.webstore.spec import SPEC

__all__ = ["SPEC"]
