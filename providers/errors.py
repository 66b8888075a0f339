"""What can go wrong with a provider, by what we must do about it. None of these ever carries a key or a header."""

from typing import ClassVar


class CallFailure(Exception):
    """Base of everything that a call to a provider can end in, other than an answer; `str()` of it is for the log.

    `for_staff` says in words what happened, `retry_after` in how many seconds the provider can be asked again, if it
    said so. With `stops_account` no call with this account's key can succeed before a person has acted.
    """

    stops_account: ClassVar[bool] = False
    retry_after: float | None = None

    @property
    def for_staff(self) -> str:
        return str(self)


class ProviderError(CallFailure):
    """Base of what a provider, or the way to it, answers. `operation` and `status` say where it happened."""

    public = "The provider answered with an error."

    def __init__(self, operation: str, detail: str = "", *, status: int | None = None) -> None:
        self.operation = operation
        self.detail = detail
        self.status = status
        super().__init__(f"{operation}: {detail or self.public}" + (f" (HTTP {status})" if status else ""))

    @property
    def for_staff(self) -> str:
        """Our sentence, and the provider's own words where it has some."""
        return f"{self.public} {self.detail}".strip()


class ProviderUnavailable(ProviderError):
    """No connection, 429, or a 5xx on a call that may be repeated. Try again after `retry_after` seconds, if known."""

    public = "The provider cannot be reached at the moment."

    def __init__(
        self, operation: str, detail: str = "", *, status: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(operation, detail, status=status)
        self.retry_after = retry_after


class OutcomeUnknown(ProviderError):
    """The answer to a call that creates something was lost: look it up, never send it again blindly."""

    public = "The provider's answer was lost, so it is not known whether the call arrived."


class ProviderRejected(ProviderError):
    """The provider understood and said no; `detail` holds its words."""

    public = "The provider refused."


class PaymentRequired(ProviderRejected):
    """402: no credits, or no room for another voice."""

    public = "The provider wants to be paid first: the account has no credits left, or no room for another voice."


class Conflict(ProviderRejected):
    """409: the provider has something of that name, or is busy with it."""

    public = "The provider says that this conflicts with what it has."


class TooLarge(ProviderRejected):
    """413: more bytes than the provider takes."""

    public = "The provider says that this is too large."


class NotFound(ProviderRejected):
    """The thing asked for is not there (any more)."""

    public = "The provider does not know it."


class ProviderAuthError(ProviderError):
    """401 or 403: the key is wrong, or its plan does not allow this."""

    public = "The provider does not accept this account's key for this. Check the key and the plan."
    stops_account = True


class ResponseUnreadable(ProviderError):
    """Not JSON, too large, or without a field that must be there."""

    public = "The provider's answer could not be read."


class UnsupportedFeature(ProviderError):
    """We asked for what this provider cannot do."""

    public = "This provider cannot do that."
