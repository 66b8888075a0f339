"""The contract of every provider. Subclass HttpProviderContract as Test… in test_<slug>.py.

The tests compare with what the sandbox recorded in its ledger and request log, never with what VoiceHub stored. The
classes are not named Test…, so pytest collects them only where a provider's test class inherits from them.

What each subclass defines (the annotated attributes and the methods of ProviderContract):

- `provider_class`: the adapter.
- `creating_operations`: the sandbox's operations that create or start something, in the order of one submit, such as
  ("v1_create_voice", "v1_build"). The sandbox writes one line of the ledger for each operation, in the same
  transaction, with VoiceHub's reference (the voice's name or alias) as `name` and the remote id as `voice`. A later
  line may have the charge. Override `list_creating_operations` where a tier or handover has fewer operations.
- `upload_operation`: the operation that takes a recording or the packed file, "" where the audio is part of the
  creating call. `can_upload_again`: True where an upload may repeat after a crash, as it costs and creates nothing.
- `fails_after_lost_create`: True where only the lost response held what is needed to resume: ProviderRejected.
- `extra_settings`: settings of the sandbox with which three clips of 1.5 s or a packed file of 12.5 s are enough.
- `build_voice_response(status)`: the JSON for the look-up of voice "x" in this raw status; `success_status`: the HTTP
  status of the response to a create. `statuses`: every known raw status and its meaning.
  `build_error_response(text)`: the vendor's error form. `odd_responses`: additional responses in valid JSON that fit no
  call.
- `responses_without_id`: responses to a create without an id; empty where the id is VoiceHub's own reference.
- `empty_success_operations`: those of `creating_operations` whose success response may be empty.
- `has_id_in_url`: False where the look-up does not carry the id in its URL.
- Where `can_find` is False, a person resolves a create whose response was lost: `find_voice_manually` reads the ledger.
- Subclass FileContract where recordings are files, RetrainContract where a voice can be retrained, RecordingsContract
  where recordings are sent one by one, and SuccessFlagContract where a 2xx response can refuse.

A vendor's own tests get the fixtures `account` (a sandbox account of this test: open_provider(), count_creations(),
count_successes(), list_requests()), `listener`, and from HttpProviderContract `client` with `hostile`.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar
from uuid import uuid4

import pytest

from providers.base import Provider
from providers.errors import (
    NotFound,
    PlanRefused,
    ProviderAuthError,
    ProviderRejected,
    ProviderUnavailable,
    UnsupportedFeature,
)
from providers.http import HttpProvider
from providers.types import (
    BuildReport,
    BuildSpec,
    Capabilities,
    Handover,
    RemoteStatus,
    StatusUpdates,
    Tier,
    Visibility,
)
from tests.providers.factories import (
    choose_pack_function,
    load_statement,
    make_clips,
    make_file_ref,
)
from tests.providers.journal import MemoryJournal, submit_until_done
from tests.support.sandbox import CallbackServer, SandboxProcess

LONG_TRAINING_SECONDS = 1e6
"""Longer than any test waits."""
CLIP_HANDOVERS = (Handover.RECORDINGS, Handover.FILE_IDS)
OPTIONAL_CALLS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "can_find": ("find_build", lambda provider: provider.find_build("x")),
    "can_rename": ("rename_voice", lambda provider: provider.rename_voice("x", "y")),
    "can_list": ("list_voices", lambda provider: list(provider.list_voices())),
    "can_set_visibility": ("set_visibility", lambda provider: provider.set_visibility("x", Visibility.PRIVATE)),
    "can_delete": ("delete_voice", lambda provider: provider.delete_voice("x")),
    "can_delete_files": ("delete_file", lambda provider: provider.delete_file("x")),
    "can_report_usage": ("fetch_usage", lambda provider: provider.fetch_usage()),
    "can_preview": ("generate_preview", lambda provider: provider.generate_preview("x", "Hello.")),
}


def hash_key(key: str) -> str:
    """The account name of a key in the sandbox's ledger and request log."""
    return hashlib.sha256(key.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class SandboxAccount:
    """One account in the sandbox, which no other test uses."""

    sandbox: SandboxProcess
    provider_class: type[HttpProvider]
    key: str
    creating_operations: tuple[str, ...]
    address: str = ""
    """The base URL that the provider calls; empty means the sandbox itself."""

    def open_provider(self, address: str = "") -> HttpProvider:
        url = address or self.address or self.sandbox.address
        return self.provider_class(self.key, sandbox_url=url, sandboxed=True)

    def list_ledger(self) -> list[dict[str, Any]]:
        return self.sandbox.read_ledger(account=hash_key(self.key))

    def count_creations(self) -> dict[str, Counter[str]]:
        """How often each creating operation succeeded, by voice name."""
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for line in self.list_ledger():
            if line["operation"] in self.creating_operations:
                counts[line["name"]][line["operation"]] += 1
        return counts

    def list_requests(self) -> list[dict[str, Any]]:
        """The requests of this account to the sandbox, oldest first."""
        return self.sandbox.list_requests(account=hash_key(self.key))

    def count_successes(self, operation: str) -> int:
        """How often this operation succeeded. Calls without a key may belong to other tests, so compare two counts."""
        requests = [*self.list_requests(), *self.sandbox.list_requests(account="")]
        return sum(r["operation"] == operation and 200 <= (r["status"] or 0) < 300 for r in requests)


class ProviderContract:
    """The tests that do not depend on how the provider is reached."""

    provider_class: ClassVar[type[HttpProvider]]
    creating_operations: ClassVar[tuple[str, ...]]
    upload_operation: ClassVar[str]
    can_upload_again: ClassVar[bool] = False
    fails_after_lost_create: ClassVar[bool] = False
    extra_settings: ClassVar[Mapping[str, Any]] = {}
    statuses: ClassVar[Mapping[str, RemoteStatus]]
    success_status: ClassVar[int] = 200
    odd_responses: ClassVar[Sequence[Any]] = ()
    responses_without_id: ClassVar[Sequence[Any]]
    has_id_in_url: ClassVar[bool] = True
    empty_success_operations: ClassVar[Sequence[str]] = ()

    def list_creating_operations(self, tier: Tier, handover: Handover) -> tuple[str, ...]:
        """The operations among `creating_operations` that a new voice in this tier and handover needs."""
        return self.creating_operations

    def build_voice_response(self, status: str) -> Any:
        """The vendor's response to the look-up of voice "x" in this raw status."""
        raise NotImplementedError

    def build_error_response(self, text: str) -> dict[str, Any]:
        raise NotImplementedError

    def find_voice_manually(self, account: SandboxAccount, reference: str) -> str:
        """The remote id of the voice with this name, as a person finds it on the vendor's site; "" if it has none."""
        lines = (
            line
            for line in account.list_ledger()
            if line["operation"] in self.creating_operations and line["name"] == reference
        )
        return str(next((line["voice"] for line in lines), ""))

    # --- fixtures and helpers ---

    @pytest.fixture(autouse=True)
    def _apply_sandbox_settings(self, request: pytest.FixtureRequest) -> None:
        """Apply the sandbox settings. The many voices of contract tests never finish training."""
        is_contract_test = request.function.__module__.endswith("contract")
        if "sandbox" in request.fixturenames:
            settings = {
                **self.extra_settings,
                **({"training_seconds": LONG_TRAINING_SECONDS} if is_contract_test else {}),
            }
            request.getfixturevalue("sandbox").call_control("POST", "settings", settings)

    @pytest.fixture
    def key(self) -> str:
        return f"secret-{uuid4().hex}"

    @pytest.fixture
    def account(self, sandbox: SandboxProcess, key: str) -> SandboxAccount:
        return SandboxAccount(sandbox, self.provider_class, key, self.creating_operations)

    def list_modes(self) -> list[tuple[Tier, Handover]]:
        return [
            (tier, handover)
            for tier, capabilities in self.provider_class.tiers.items()
            for handover in capabilities.handover
        ]

    def list_distinct_modes(self) -> list[tuple[Tier, Handover]]:
        """One mode for each sequence of calls: of tiers that differ only in limits, the first one."""
        tiers = self.provider_class.tiers
        calls: dict[object, tuple[Tier, Handover]] = {}
        for tier, handover in self.list_modes():
            calls.setdefault(
                (handover, self.list_creating_operations(tier, handover), tiers[tier].consent_proof), (tier, handover)
            )
        return list(calls.values())

    def make_spec(self, tier: Tier, handover: Handover, listener: CallbackServer, clips: int = 3) -> BuildSpec:
        """A new build with the inputs that this mode needs."""
        capabilities = self.provider_class.tiers.get(tier) or next(iter(self.provider_class.tiers.values()))
        return BuildSpec(
            reference=f"vh-{uuid4().hex[:12]}",
            tier=tier,
            language="en-US",
            handover=handover,
            consent=make_file_ref("consent.wav", load_statement()),
            clips=make_clips(clips) if handover in CLIP_HANDOVERS else (),
            callback_url=f"{listener.address}/hook" if StatusUpdates.CALLBACK in capabilities.status_updates else "",
            dataset_url=f"{listener.address}/{uuid4().hex}.wav" if handover is Handover.DATASET_URL else "",
            pack_file=choose_pack_function(handover, capabilities.encoding),
        )

    def make_journal(self, spec: BuildSpec, **fields: Any) -> MemoryJournal:
        return MemoryJournal(transcripts={clip.key: clip.transcript for clip in spec.clips}, **fields)

    def reconcile(self, account: SandboxAccount, spec: BuildSpec, journal: MemoryJournal) -> BuildReport | None:
        """Reconcile the pending call; returns the build's report if it was the build call and it had arrived."""
        step, journal.pending_call = journal.pending_call, ""
        with account.open_provider() as provider:
            if step == "create" and provider.tiers[spec.tier].can_find:
                found = provider.find_build(spec.reference)
                journal.remote_id = found.remote_id if found else journal.remote_id
            elif step == "create":
                journal.remote_id = self.find_voice_manually(account, spec.reference)
            elif step == "build":
                return self._find_started_build(account, provider.fetch_build(spec.remote_id), spec, journal)
        return None

    def _find_started_build(
        self, account: SandboxAccount, report: BuildReport, spec: BuildSpec, journal: MemoryJournal
    ) -> BuildReport | None:
        """The report if the build trains; if the provider does not report it, the ledger decides, as a person would."""
        is_started = report.version != journal.version or report.status is RemoteStatus.TRAINING
        if not is_started and report.status is RemoteStatus.UNKNOWN:
            is_started = account.count_creations()[spec.reference][self.creating_operations[-1]] > 0
        return report if is_started else None

    def submit_until_done(self, account: SandboxAccount, spec: BuildSpec, journal: MemoryJournal) -> MemoryJournal:
        """Submit until the build is accepted. `report` stays None where a lost response made that impossible."""
        try:
            journal.report = submit_until_done(account.open_provider, spec, journal, partial(self.reconcile, account))
        except ProviderRejected:
            if not (self.fails_after_lost_create and journal.remote_id and not journal.resume_state):
                raise
        return journal

    def count_expected_creations(
        self, tier: Tier, handover: Handover, journal: MemoryJournal | None = None
    ) -> Counter[str]:
        """The ledger lines of a new voice after its submit."""
        expected = self.list_creating_operations(tier, handover)
        return Counter(expected if journal is None or journal.report else expected[:1])

    # --- declared abilities ---

    def test_provider_has_slug_label_and_tiers(self) -> None:
        assert self.provider_class.slug
        assert self.provider_class.label
        assert self.provider_class.tiers
        for tier, capabilities in self.provider_class.tiers.items():
            assert capabilities.tier is tier
            assert capabilities.handover
            assert capabilities.status_updates

    def test_every_limit_has_source_and_date(self) -> None:
        for capabilities in self.provider_class.tiers.values():
            for limit in capabilities.limits.values():
                assert limit.value > 0
                assert limit.source
                assert limit.checked

    def test_overridden_methods_match_declared_abilities(self) -> None:
        for capabilities in self.provider_class.tiers.values():
            for flag, (method, _call) in OPTIONAL_CALLS.items():
                assert self._is_overridden(method) == getattr(capabilities, flag), method
            assert self._is_overridden("parse_callback") == (StatusUpdates.CALLBACK in capabilities.status_updates)

    def test_manual_deletion_is_described_where_the_api_has_none(self) -> None:
        for capabilities in self.provider_class.tiers.values():
            instructions = capabilities.manual_deletion
            assert (instructions is None) == capabilities.can_delete
            if instructions:
                assert instructions.steps and instructions.source and instructions.checked
            assert self._is_overridden("has_file") == capabilities.can_delete_files

    def _is_overridden(self, method: str) -> bool:
        return getattr(self.provider_class, method) is not getattr(Provider, method)

    def test_unsupported_call_is_refused_without_a_request(self, key: str, hostile: Any) -> None:
        capabilities = next(iter(self.provider_class.tiers.values()))
        for flag, (_method, call) in OPTIONAL_CALLS.items():
            with self.provider_class(key, sandbox_url=hostile.address, sandboxed=True) as provider:
                if not getattr(capabilities, flag):
                    with pytest.raises(UnsupportedFeature):
                        call(provider)
        assert not hostile.received

    # --- submit ---

    def test_build_is_submitted_in_every_declared_mode(self, account: SandboxAccount, listener: CallbackServer) -> None:
        for tier, handover in self.list_modes():
            spec = self.make_spec(tier, handover, listener)
            with account.open_provider() as provider:
                report = provider.submit_build(spec, journal := self.make_journal(spec))
                assert report.remote_id == journal.remote_id
                assert bool(journal.files) == provider.tiers[tier].can_delete_files
                assert provider.fetch_build(journal.remote_id).remote_id == journal.remote_id
            assert journal.pending_call == ("build" if len(self.list_creating_operations(tier, handover)) > 1 else "")
            assert self.find_voice_manually(account, spec.reference) == journal.remote_id
            assert account.count_creations()[spec.reference] == self.count_expected_creations(tier, handover), (
                tier,
                handover,
            )

    def test_undeclared_mode_is_refused_without_a_request(
        self, account: SandboxAccount, listener: CallbackServer
    ) -> None:
        declared = set(self.list_modes())
        for tier in Tier:
            for handover in Handover:
                if (tier, handover) in declared:
                    continue
                with account.open_provider() as provider, pytest.raises(UnsupportedFeature):
                    provider.submit_build(self.make_spec(tier, handover, listener), MemoryJournal())
        assert not account.list_requests()

    def test_undeclared_tier_is_refused_without_a_request(
        self, key: str, hostile: Any, listener: CallbackServer
    ) -> None:
        provider = self.provider_class(key, sandbox_url=hostile.address, sandboxed=True)
        spec = self.make_spec(*self.list_modes()[0], listener)
        tiers: dict[Tier, Capabilities] = {}
        provider.tiers = tiers  # type: ignore[misc]  # replaced on this object only
        with provider, pytest.raises(UnsupportedFeature):
            provider.submit_build(spec, MemoryJournal())
        assert not hostile.received

    # --- no double billing ---

    def test_worker_killed_at_any_line_creates_nothing_twice(
        self, account: SandboxAccount, listener: CallbackServer
    ) -> None:
        for tier, handover in self.list_distinct_modes():
            uploads = self.count_uploads(account)
            first = self.make_spec(tier, handover, listener)
            lines = self.submit_until_done(account, first, self.make_journal(first)).line_count
            outcomes = {first.reference: (0, True, self.make_journal(first))}
            for line in range(1, lines + 2):
                for saves_line in (False, True):
                    spec = self.make_spec(tier, handover, listener)
                    journal = self.submit_until_done(
                        account, spec, self.make_journal(spec, kill_at_line=line, saves_killed_line=saves_line)
                    )
                    outcomes[spec.reference] = (line, saves_line, journal)
            self._check_each_created_once(account, tier, handover, outcomes)
            self._check_upload_count(
                self.count_uploads(account) - uploads, max(len(first.clips), bool(first.pack_file)), outcomes
            )

    def _check_each_created_once(
        self,
        account: SandboxAccount,
        tier: Tier,
        handover: Handover,
        outcomes: dict[str, tuple[int, bool, MemoryJournal]],
    ) -> None:
        billed = account.count_creations()
        for reference, (line, saves_line, journal) in outcomes.items():
            expected = self.count_expected_creations(tier, handover, journal if line else None)
            assert billed[reference] == expected, (tier, handover, line, saves_line)

    def count_uploads(self, account: SandboxAccount) -> int:
        return account.count_successes(self.upload_operation) if self.upload_operation else 0

    def _check_upload_count(
        self, uploads: int, recordings_per_build: int, outcomes: dict[str, tuple[int, bool, MemoryJournal]]
    ) -> None:
        """Each build uploads each recording once; a killed worker may add one upload where uploads may repeat."""
        completed_builds = sum(journal.report is not None or not line for line, _saves, journal in outcomes.values())
        minimum = completed_builds * recordings_per_build
        if not self.upload_operation:
            assert uploads == 0
        elif self.can_upload_again:
            assert minimum <= uploads <= minimum + len(outcomes)
        else:
            assert uploads == minimum

    # --- rate limits ---

    def test_rate_limited_create_is_retried_without_a_second_voice(
        self, account: SandboxAccount, listener: CallbackServer
    ) -> None:
        for tier, handover in self.list_modes():
            for operation in self.list_creating_operations(tier, handover):
                account.sandbox.set_faults({"operation": operation, "do": "status:429", "nth": 1, "retry_after": "7"})
                spec = self.make_spec(tier, handover, listener)
                journal = self.make_journal(spec)
                with account.open_provider() as provider, pytest.raises(ProviderUnavailable) as exc_info:
                    provider.submit_build(spec, journal)
                assert exc_info.value.retry_after == 7
                journal.pending_call = ""
                self.submit_until_done(account, spec, journal)
                creations = account.count_creations()[spec.reference]
                assert creations == self.count_expected_creations(tier, handover), (handover, operation)

    # --- calls on existing voices, and keys ---

    def _create_voices(
        self, account: SandboxAccount, listener: CallbackServer, count: int
    ) -> Iterator[tuple[BuildSpec, str]]:
        """The spec and the remote id of each new voice."""
        for _ in range(count):
            spec = self.make_spec(*self.list_modes()[0], listener)
            with account.open_provider() as provider:
                yield spec, provider.submit_build(spec, self.make_journal(spec)).remote_id

    def test_voice_is_found_by_name_among_three_voices(self, account: SandboxAccount, listener: CallbackServer) -> None:
        capabilities = next(iter(self.provider_class.tiers.values()))
        for spec, remote_id in list(self._create_voices(account, listener, 3)):
            with account.open_provider() as provider:
                assert provider.fetch_build(remote_id).remote_id == remote_id
                if capabilities.can_list:
                    assert remote_id in [report.remote_id for report in provider.list_voices()]
                if capabilities.can_find:
                    found = provider.find_build(spec.reference)
                    assert found is not None
                    assert (found.remote_id, found.name) == (remote_id, spec.reference)
                    assert provider.find_build(f"{spec.reference}0") is None

    def test_unknown_voice_is_not_found(self, account: SandboxAccount) -> None:
        capabilities = next(iter(self.provider_class.tiers.values()))
        with account.open_provider() as provider:
            with pytest.raises(NotFound):
                provider.fetch_build("unknown")
            if capabilities.can_find:
                assert provider.find_build("vh-unknown") is None

    def test_deleted_voice_is_gone_and_deletion_is_idempotent(
        self, account: SandboxAccount, listener: CallbackServer
    ) -> None:
        capabilities = next(iter(self.provider_class.tiers.values()))
        ((spec, remote_id),) = self._create_voices(account, listener, 1)
        with account.open_provider() as provider:
            if not capabilities.can_delete:
                assert provider.fetch_build(remote_id).remote_id == remote_id
                return
            provider.delete_voice(remote_id)
            assert provider.delete_voice(remote_id) == {}
            with pytest.raises(NotFound):
                provider.fetch_build(remote_id)
            if capabilities.can_find:
                assert provider.find_build(spec.reference) is None

    def test_voice_is_public_only_after_set_visibility(self, account: SandboxAccount, listener: CallbackServer) -> None:
        capabilities = next(iter(self.provider_class.tiers.values()))
        ((_spec, remote_id),) = self._create_voices(account, listener, 1)
        with account.open_provider() as provider:
            assert provider.fetch_build(remote_id).visibility is (
                Visibility.PRIVATE if capabilities.can_set_visibility else None
            )
            if capabilities.can_set_visibility:
                for visibility in (Visibility.PUBLIC, Visibility.PRIVATE):
                    provider.set_visibility(remote_id, visibility)
                    assert provider.fetch_build(remote_id).visibility is visibility

    def test_renamed_voice_has_its_new_name(self, account: SandboxAccount, listener: CallbackServer) -> None:
        capabilities = next(iter(self.provider_class.tiers.values()))
        ((_spec, remote_id),) = self._create_voices(account, listener, 1)
        with account.open_provider() as provider:
            if capabilities.can_rename:
                provider.rename_voice(remote_id, "vh-other")
            assert (provider.fetch_build(remote_id).name == "vh-other") == capabilities.can_rename

    def test_bad_key_is_an_auth_error(self, sandbox: SandboxProcess, listener: CallbackServer) -> None:
        for key, error in (("bad-key", ProviderAuthError), ("plan-key", PlanRefused)):
            with self.provider_class(key, sandbox_url=sandbox.address, sandboxed=True) as provider:
                spec = self.make_spec(*self.list_modes()[0], listener)
                with pytest.raises(error) as caught:
                    provider.submit_build(spec, journal := self.make_journal(spec))
                assert key not in repr(journal)
                assert caught.value.stops_account is (key == "bad-key")

    def test_key_check_accepts_a_good_key_and_refuses_a_bad_one(self, account: SandboxAccount) -> None:
        with account.open_provider() as provider:
            provider.check_key()
        with replace(account, key="bad-key").open_provider() as provider, pytest.raises(ProviderAuthError):
            provider.check_key()

    def test_sandbox_account_without_a_sandbox_is_refused(self, key: str) -> None:
        with pytest.raises(ProviderUnavailable):
            self.provider_class(key, sandbox_url="", sandboxed=True)

    def test_live_account_uses_the_url_of_the_vendor(self, key: str, sandbox: SandboxProcess) -> None:
        with self.provider_class(key, sandbox_url=sandbox.address) as provider:
            assert provider.base_url == self.provider_class.live_url
            assert provider.base_url.startswith("https://")
            assert sandbox.address not in str(vars(provider))
