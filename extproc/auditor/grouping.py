"""What sums over an audit log are made by."""

from enum import StrEnum


class By(StrEnum):
    """What records are put together by."""

    TENANT = "tenant"
    PRINCIPAL = "principal"
    ROUTE = "route"
    MODEL = "model"
    DECISION = "decision"
    REASON = "reason"
    STATUS = "status"
    FIDELITY = "fidelity"
    FINGERPRINT = "fingerprint"
    POLICY = "policy"
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
