"""Stores, what is switched on for them, and the record of everything that ran."""

from connectors.models.activations import Activation, Connector, State
from connectors.models.brakes import Brake
from connectors.models.budgets import CallBudget
from connectors.models.comparisons import Comparison, Difference, Listed
from connectors.models.credentials import AccessToken, AuthorizationCode, Credential
from connectors.models.delivery import Address, Breaker, Message
from connectors.models.doorbells import Doorbell, Ring
from connectors.models.failures import Failure
from connectors.models.flows import ActivationFlow, Freshness, Run
from connectors.models.hooks import Delivery, Event, Subscription
from connectors.models.incidents import Alert, Heartbeat, Incident
from connectors.models.notices import Endpoint, Notice, new_message_id
from connectors.models.shared_tokens import SharedToken
from connectors.models.stores import Store

__all__ = [
    "AccessToken",
    "Activation",
    "ActivationFlow",
    "Address",
    "Alert",
    "AuthorizationCode",
    "Brake",
    "Breaker",
    "CallBudget",
    "Comparison",
    "Connector",
    "Credential",
    "Delivery",
    "Difference",
    "Doorbell",
    "Endpoint",
    "Event",
    "Failure",
    "Freshness",
    "Heartbeat",
    "Incident",
    "Listed",
    "Message",
    "Notice",
    "Ring",
    "Run",
    "SharedToken",
    "State",
    "Store",
    "Subscription",
    "new_message_id",
]
