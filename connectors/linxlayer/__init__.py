from connectors.linxlayer.spec import SPEC

__all__ = ["SPEC"]
