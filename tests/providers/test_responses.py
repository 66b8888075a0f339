"""The error that a response stands for: a refusal because of the plan is not taken for a bad key."""

import pytest

from providers.errors import PaymentRequired, PlanRefused, ProviderAuthError, ProviderError
from providers.responses import Response, build_error


@pytest.mark.parametrize(
    ("status", "text", "error"),
    [
        (403, "This API is only available for pro users. Please upgrade your plan.", PlanRefused),
        (403, "This plan does not include voice cloning.", PlanRefused),
        (402, "Your subscription does not include voice cloning.", PlanRefused),
        (402, "Insufficient credits. Upgrade your plan.", PaymentRequired),
        (402, "Voice slot limit reached. Upgrade your plan.", PaymentRequired),
        (401, "Bad key. See your plan.", ProviderAuthError),
        (403, "Forbidden", ProviderAuthError),
        (403, "", ProviderAuthError),
        (403, "The plane has left.", ProviderAuthError),
    ],
)
def test_plan_refusal_is_told_apart_from_a_bad_key(status: int, text: str, error: type[ProviderError]) -> None:
    found = build_error(Response("create", status, {}, b"", None), text)
    assert type(found) is error
    assert found.stops_account is (error is ProviderAuthError)
