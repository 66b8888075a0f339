"""What the providers report about an account and its voices: usage, limits, the expected end, locked voices."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from providers.audiostack.adapter import AudioStack
from providers.errors import ProviderAuthError
from providers.resemble_v2.adapter import ResembleV2
from providers.resemble_v2.parsing import parse_report as parse_resemble_report
from providers.speechgen.parsing import parse_report as parse_speechgen_report
from providers.types import BuildReport, RemoteStatus
from providers.usage import Usage
from tests.providers.factories import KEY
from tests.support.hostile_server import HostileServer, ReceivedRequest, make_response
from tests.support.sandbox import SandboxProcess

# Verbatim from the vendor's page “Account Teams”.
TEAM = {
    "uuid": "TEAM_UUID",
    "name": "Production",
    "plan": "Business",
    "voice_limit": 50,
    "units": "seconds",
    "rate": 0.0,
    "current_usage": 12345,
}
BILLED = {"success": True, "items": {"detect": "1200", "synth": "8450"}}
VOICES = [{"uuid": "a", "source": "Custom Voice"}, {"uuid": "b"}, {"uuid": "c", "source": "Resemble Marketplace"}]


def fetch_resemble_usage(hostile: HostileServer, **answers: bytes) -> Usage:
    """The usage from these responses to the calls `teams` and `billing_usage`."""

    def script(request: ReceivedRequest) -> Any:
        path = request.request_line.split()[1].partition("?")[0].rpartition("/")[2]
        pages = {"success": True, "items": VOICES, "num_pages": 1}
        yield answers.get(path) or make_response(200, pages)

    hostile.script = script
    with ResembleV2(KEY, sandbox_url=hostile.address, sandboxed=True) as provider:
        return provider.fetch_usage()


def test_resemble_reports_plan_speech_and_own_voices(hostile: HostileServer) -> None:
    teams = make_response(200, {"success": True, "items": [TEAM]})
    usage = fetch_resemble_usage(hostile, teams=teams, billing_usage=make_response(200, BILLED))
    first = datetime.now(UTC).date().replace(day=1)
    assert usage == Usage(plan="Business", unit="s", used=8450, since=first, voices=2, voice_limit=50)
    asked = next(request.request_line for request in hostile.received if "billing_usage" in request.request_line)
    assert f"start_date={first}" in asked


def test_resemble_plan_of_several_teams_is_not_guessed(hostile: HostileServer) -> None:
    teams = make_response(200, {"success": True, "items": [TEAM, TEAM | {"voice_limit": 3}]})
    usage = fetch_resemble_usage(hostile, teams=teams, billing_usage=make_response(200, BILLED))
    assert (usage.plan, usage.voice_limit, usage.voices) == ("", None, 2)


@pytest.mark.parametrize("status", [403, 404, 422])
def test_refused_account_call_of_resemble_only_leaves_its_values_out(hostile: HostileServer, status: int) -> None:
    """A 403 would pause the account, although its key works."""
    refusal = make_response(status, {"success": False, "message": "Not for members."})
    usage = fetch_resemble_usage(hostile, teams=refusal, billing_usage=refusal)
    assert usage == Usage(unit="s", voices=2)


def test_rejected_key_is_not_taken_for_missing_usage(hostile: HostileServer) -> None:
    with pytest.raises(ProviderAuthError):
        fetch_resemble_usage(hostile, teams=make_response(401, {"success": False}))


@pytest.mark.parametrize("name", ["metadata", "meta"])
def test_audiostack_reports_credits_that_are_left(hostile: HostileServer, name: str) -> None:
    hostile.respond_with(make_response(200, {"data": {"voices": []}, name: {"creditsRemaining": "880.5"}}))
    with AudioStack(KEY, sandbox_url=hostile.address, sandboxed=True) as provider:
        assert provider.fetch_usage() == Usage(unit="credits", remaining=880.5)


def test_sandbox_speaks_the_calls_of_the_account(sandbox: SandboxProcess) -> None:
    with ResembleV2("key-of-usage", sandbox_url=sandbox.address, sandboxed=True) as provider:
        usage = provider.fetch_usage()
    assert (usage.plan, usage.used, usage.voices, usage.voice_limit) == ("Sandbox", 0, 0, 50)
    with AudioStack("key-of-usage", sandbox_url=sandbox.address, sandboxed=True) as provider:
        assert provider.fetch_usage().remaining == 100_000


# --- voices ---


@pytest.mark.parametrize(
    "status", [{"status": "ready"}, "ready"], ids=["as on the page of a voice", "as on the overview"]
)
def test_resemble_reports_the_abilities_of_a_voice(status: Any) -> None:
    voice = {"uuid": "x", "status": "ready", "component_status": {"text_to_speech": status, "fill": {"status": None}}}
    assert parse_resemble_report(voice).components == {"text_to_speech": "ready"}


def test_locked_voice_of_resemble_is_told_apart() -> None:
    report = parse_resemble_report({"uuid": "x", "status": "Locked"})
    assert (report.is_locked, report.status) == (True, RemoteStatus.UNKNOWN)
    assert not parse_resemble_report({"uuid": "x", "status": "ready"}).is_locked


def make_model(**fields: Any) -> dict[str, Any]:
    return {"model_id": "vm_1", "status": "processing"} | fields


def test_speechgen_reports_the_expected_end() -> None:
    report = parse_speechgen_report(make_model(estimated_completion="2024-01-15T10:31:00Z"))
    assert report.expected_at == datetime(2024, 1, 15, 10, 31, tzinfo=UTC)


def test_speechgen_reports_the_expected_end_in_seconds() -> None:
    before = datetime.now(UTC)
    expected = parse_speechgen_report(make_model(estimated_time=60)).expected_at
    assert expected and before + timedelta(seconds=60) <= expected <= datetime.now(UTC) + timedelta(seconds=60)


@pytest.mark.parametrize("value", [None, "soon", "", {}, "9999-99-99", "0001-01-01T00:00:00+14:00"])
def test_unreadable_expected_end_is_left_out(value: Any) -> None:
    model = make_model(estimated_completion=value, estimated_time=value)
    assert parse_speechgen_report(model).expected_at is None


@pytest.mark.parametrize("seconds", [-1, 1e9, True])
def test_impossible_duration_is_left_out(seconds: Any) -> None:
    assert parse_speechgen_report(make_model(estimated_time=seconds)).expected_at is None


def test_model_that_is_ready_has_no_expected_end() -> None:
    model = make_model(status="ready", estimated_completion="2024-01-15T10:31:00Z", usage_count="12")
    report = parse_speechgen_report(model)
    assert (report.expected_at, report.usage_count) == (None, 12)


@pytest.mark.parametrize("value", [None, -1, "many", True, 1e30, {}])
def test_unreadable_usage_count_is_left_out(value: Any) -> None:
    assert parse_speechgen_report(make_model(usage_count=value)).usage_count is None


@pytest.mark.parametrize("parse", [parse_speechgen_report, parse_resemble_report])
def test_providers_report_when_a_voice_was_created(parse: Callable[[dict[str, Any]], BuildReport]) -> None:
    voice = {"uuid": "x", "model_id": "x", "created_at": "2024-01-15T10:30:00Z"}
    assert parse(voice).created_at == datetime(2024, 1, 15, 10, 30, tzinfo=UTC)
    assert parse(voice | {"created_at": "soon"}).created_at is None
