from connectors.rockyerp.spec import SPEC

__all__ = ["SPEC"]
