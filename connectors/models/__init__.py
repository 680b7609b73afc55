"""Stores, what is switched on for them, and the record of everything that ran."""

from connectors.models.activations import Activation, Connector, State
from connectors.models.credentials import AccessToken, AuthorizationCode, Credential
from connectors.models.flows import ActivationFlow, Failure, Run
from connectors.models.notices import Breaker, Endpoint, Notice, new_message_id
from connectors.models.stores import Store

__all__ = [
    "AccessToken",
    "Activation",
    "ActivationFlow",
    "AuthorizationCode",
    "Breaker",
    "Connector",
    "Credential",
    "Endpoint",
    "Failure",
    "Notice",
    "Run",
    "State",
    "Store",
    "new_message_id",
]
