"""Errors of provider calls, one class for each way in which VoiceHub handles them. None carries a key or a header."""

from typing import ClassVar


class CallFailure(Exception):
    """Base of every failure of a call to a provider; `str(error)` is the text for the log.

    `staff_message` describes what happened. `retry_after` is in seconds, None if the provider stated no time.
    With `stops_account`, no call with this account's key can succeed until a person acts.
    """

    stops_account: ClassVar[bool] = False
    retry_after: float | None = None

    @property
    def staff_message(self) -> str:
        return str(self)


class ProviderError(CallFailure):
    """Base of errors from a provider or the network. `operation` is the call that failed, `status` its HTTP status."""

    default_message = "The provider answered with an error."

    def __init__(self, operation: str, detail: str = "", *, status: int | None = None) -> None:
        self.operation = operation
        self.detail = detail
        self.status = status
        super().__init__(f"{operation}: {detail or self.default_message}" + (f" (HTTP {status})" if status else ""))

    @property
    def staff_message(self) -> str:
        """VoiceHub's message, then the provider's own error text if there is any."""
        return f"{self.default_message} {self.detail}".strip()


class ProviderUnavailable(ProviderError):
    """No connection, 429, or a 5xx on a call that may be repeated. Retry after `retry_after` seconds, if known."""

    default_message = "The provider cannot be reached at the moment."

    def __init__(
        self, operation: str, detail: str = "", *, status: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(operation, detail, status=status)
        self.retry_after = retry_after


class OutcomeUnknown(ProviderError):
    """The response to a call that creates something was lost: look up the result, never blindly repeat the call."""

    default_message = "The provider's response was lost, so it is not known whether the call arrived."


class ProviderRejected(ProviderError):
    """The provider refused the call; `detail` is its error text."""

    default_message = "The provider refused the request."


class PaymentRequired(ProviderRejected):
    """402: no credits, or the voice limit is reached."""

    default_message = "The provider requires payment: the account has no credits left, or its voice limit is reached."


class PlanRefused(ProviderRejected):
    """402 or 403 with a text about the account's plan. The key works, so the account is not stopped."""

    default_message = "The account's plan at the provider does not include this."


class Conflict(ProviderRejected):
    """409: the name is already taken at the provider, or the provider is still working on the object."""

    default_message = "The provider reports a conflict with an object that it already has."


class TooLarge(ProviderRejected):
    """413: more bytes than the provider accepts."""

    default_message = "The provider reports that the file is too large."


class NotFound(ProviderRejected):
    """The requested object does not exist, or no longer exists."""

    default_message = "The provider could not find it."


class ProviderAuthError(ProviderError):
    """401 or 403: the key is wrong, or it does not allow the call. See PlanRefused for a 403 that names the plan."""

    default_message = "The provider does not accept this account's key for this. Check the key and the plan."
    stops_account = True


class ResponseUnreadable(ProviderError):
    """The response is not JSON, is too large, or lacks a required field."""

    default_message = "The provider's response could not be read."


class UnsupportedFeature(ProviderError):
    """The provider does not support this operation."""

    default_message = "This provider does not support this operation."
