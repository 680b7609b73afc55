"""Stores, what is switched on for them, and the record of everything that ran."""

from connectors.models.activations import Activation, Connector, State
from connectors.models.acts import Act
from connectors.models.asks import Ask
from connectors.models.attempts import FailedAttempts
from connectors.models.billing import BillingTerm
from connectors.models.brakes import Brake
from connectors.models.budgets import CallBudget
from connectors.models.comparisons import Comparison, Difference, Listed
from connectors.models.credentials import AccessToken, AuthorizationCode, Credential
from connectors.models.delivery import Address, Breaker, Message
from connectors.models.doorbells import Doorbell, Ring
from connectors.models.failures import Failure, FailureQuerySet
from connectors.models.flows import ActivationFlow, Freshness, Run
from connectors.models.handovers import Handover
from connectors.models.hooks import Delivery, Event, Subscription
from connectors.models.incidents import Alert, Heartbeat, Incident
from connectors.models.notices import Endpoint, Notice, new_message_id
from connectors.models.receipts import Receipt
from connectors.models.repairs import Repair
from connectors.models.second_factors import RecoveryCode, SecondFactor
from connectors.models.shared_tokens import SharedToken
from connectors.models.steps import ActivationStep, Trial, Verdict
from connectors.models.stores import Store

__all__ = [
    "AccessToken",
    "Act",
    "Activation",
    "ActivationFlow",
    "ActivationStep",
    "Address",
    "Alert",
    "Ask",
    "AuthorizationCode",
    "BillingTerm",
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
    "FailedAttempts",
    "Failure",
    "FailureQuerySet",
    "Freshness",
    "Handover",
    "Heartbeat",
    "Incident",
    "Listed",
    "Message",
    "Notice",
    "Receipt",
    "RecoveryCode",
    "Repair",
    "Ring",
    "Run",
    "SecondFactor",
    "SharedToken",
    "State",
    "Store",
    "Subscription",
    "Trial",
    "Verdict",
    "new_message_id",
]
