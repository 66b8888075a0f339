"""AudioStack: the contract, file uploads, the alias of a voice, the consent file and discarded files."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from providers.audiostack.adapter import AudioStack
from providers.audiostack.files import BLOCK_BYTES, MAX_FILE_POLLS
from providers.audiostack.parsing import NO_REASON, parse_create_response, parse_report
from providers.errors import Conflict, OutcomeUnknown, ProviderRejected, ProviderUnavailable, ResponseUnreadable
from providers.types import BuildReport, BuildSpec, ClipUpload, Handover, RemoteStatus, Tier
from tests.providers.contract import SandboxAccount, hash_key
from tests.providers.factories import KEY, load_statement, make_file_ref, make_sound
from tests.providers.file_contract import FileContract
from tests.providers.http_contract import HttpProviderContract
from tests.providers.journal import MemoryJournal, WorkerKilled
from tests.support.hostile_server import HostileServer, ReceivedRequest, make_response
from tests.support.relay import Relay
from tests.support.sandbox import CallbackServer, poll_until
from tests.support.wav import load_sample_wav, make_wav_bytes, make_white_noise

Mode = tuple[Tier, Handover]
INSTANT: Mode = (Tier.RAPID, Handover.FILE_IDS)
STANDARD: Mode = (Tier.PROFESSIONAL, Handover.FILE_IDS)
ENVELOPE = {"statusCode": 200, "message": "", "warnings": [], "metadata": {"requestId": "r", "creditsUsed": 0}}
WAV = b"RIFF\x04\0\0\0WAVE"


def read_bodies(requests: list[ReceivedRequest], line: str) -> list[dict[str, Any]]:
    """The JSON bodies of the requests whose request line starts with `line`."""
    return [json.loads(request.body) for request in requests if request.request_line.startswith(line)]


class TestAudioStack(FileContract, HttpProviderContract):
    provider_class = AudioStack
    creating_operations = ("clone_voice",)
    upload_operation = "upload_file"
    success_status = 202
    statuses: ClassVar[dict[str, RemoteStatus]] = {
        "succeeded": RemoteStatus.READY,
        "failed": RemoteStatus.FAILED,
        "error": RemoteStatus.FAILED,
        "processing": RemoteStatus.TRAINING,
        "pending": RemoteStatus.TRAINING,
        "queued": RemoteStatus.TRAINING,
        "running": RemoteStatus.TRAINING,
        "in_progress": RemoteStatus.TRAINING,
        "": RemoteStatus.UNKNOWN,
    }
    # VoiceHub chooses the alias. Still, a response that does not mention a voice is no success.
    responses_without_id: ClassVar[list[Any]] = [{}, {"data": None}, {"data": {}}, {"data": []}, {"success": True}]
    odd_responses: ClassVar[list[Any]] = [
        {"fileId": {"a": 1}, "uploadUrl": 5, "mimeType": []},
        {"fileId": "x", "uploadUrl": "http://169.254.169.254/", "mimeType": "audio/wav"},
        {"fileId": "x", "uploadUrl": "/etc/passwd", "mimeType": "a\r\nb: c"},
        {"status": ["uploaded"]},
        ENVELOPE | {"data": {"status": {"a": 1}, "alias": 5, "discardedFiles": 7}},
        ENVELOPE | {"data": {"status": "failed", "discardedFiles": [None, 5, {}, [[]]], "message": {"a": [1]}}},
        ENVELOPE | {"data": [None, 5, {"alias": ["x"], "status": "succeeded"}]},
        ENVELOPE | {"data": {"state": []}, "url": 5},
        {"statusCode": 404, "message": "No.", "data": {"status": "succeeded"}},
        {"statusCode": "many", "errors": {"a": 1}, "details": [{}]},
    ]

    @pytest.fixture(autouse=True)
    def no_poll_delay(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(AudioStack, "poll_seconds", 0.0)

    def build_voice_response(self, status: str) -> dict[str, Any]:
        return ENVELOPE | {"data": {"alias": "x", "status": status, "discardedFiles": []}}

    def build_error_response(self, text: str) -> dict[str, Any]:
        return {"statusCode": 400, "message": "It is not possible.", "errors": [text]}

    def count_uploads(self, account: SandboxAccount) -> int:
        """Count the recordings only. The consent is uploaded in the same way, and is recognized by its length."""
        uploads = [
            request
            for request in account.list_requests()
            if request["operation"] == self.upload_operation and request["status"] == 200
        ]
        return sum(request["headers"]["Content-Length"] != str(len(load_statement())) for request in uploads)

    def train_voice(
        self, account: SandboxAccount, spec: BuildSpec, journal: MemoryJournal | None = None
    ) -> BuildReport:
        """Train a voice without a delay; returns its report."""
        account.sandbox.call_control("POST", "settings", {"training_seconds": 0.0})
        remote_id = self.submit_until_done(account, spec, journal or self.make_journal(spec)).remote_id

        def fetch_ended() -> BuildReport | None:
            with account.open_provider() as provider:
                report = provider.fetch_build(remote_id)
            return report if report.status is not RemoteStatus.TRAINING else None

        # Voices of other tests may end at the same time, and the sandbox analyzes one after the other.
        return poll_until(fetch_ended, timeout_seconds=300.0)

    def kill_submit(self, account: SandboxAccount, spec: BuildSpec, line: int, *, saves_line: bool) -> MemoryJournal:
        """Submit with a worker that is killed at this line of the journal; returns the journal."""
        journal = self.make_journal(spec, kill_at_line=line, saves_killed_line=saves_line)
        with account.open_provider() as provider, pytest.raises(WorkerKilled):
            provider.submit_build(spec, journal)
        journal.kill_at_line = 0
        return journal

    # --- create request ---

    @pytest.mark.parametrize(("mode", "engine"), [(INSTANT, "voice_engine_3"), (STANDARD, "voice_engine_2")])
    def test_create_request_has_the_documented_fields(
        self, account: SandboxAccount, relay: Relay, listener: CallbackServer, mode: Mode, engine: str
    ) -> None:
        spec = self.make_spec(*mode, listener)
        with replace(account, address=relay.address).open_provider() as provider:
            provider.submit_build(spec, journal := self.make_journal(spec))
        (body,) = read_bodies(relay.received, "POST /audiostack/speech/voice-cloning ")
        assert set(body) == {"fileIds", "alias", "engine"}
        assert (body["alias"], body["engine"]) == (spec.reference, engine)
        recordings = [journal.uploads[clip.key][0] for clip in spec.clips]
        assert body["fileIds"][:3] == recordings
        assert len(body["fileIds"]) == (4 if mode == STANDARD else 3)

    def test_consent_is_uploaded_and_listed_last(
        self, account: SandboxAccount, relay: Relay, listener: CallbackServer
    ) -> None:
        spec = self.make_spec(*STANDARD, listener)
        report = self.train_voice(replace(account, address=relay.address), spec)
        (body,) = read_bodies(relay.received, "POST /audiostack/speech/voice-cloning ")
        uploads = {
            request.request_line.split("/")[3]: request.body
            for request in relay.received
            if request.request_line.startswith("PUT ")
        }
        assert [uploads[file_id] for file_id in body["fileIds"]] == [
            make_sound(0),
            make_sound(1),
            make_sound(2),
            load_statement(),
        ]
        assert report.status is RemoteStatus.READY

    def test_standard_engine_without_consent_is_refused_without_a_request(
        self, account: SandboxAccount, listener: CallbackServer
    ) -> None:
        spec = replace(self.make_spec(*STANDARD, listener), consent=None)
        with account.open_provider() as provider, pytest.raises(ProviderRejected):
            provider.submit_build(spec, self.make_journal(spec))
        assert not account.list_requests()

    def test_consent_without_speech_fails_with_the_reason_of_the_vendor(
        self, account: SandboxAccount, listener: CallbackServer
    ) -> None:
        spec = replace(
            self.make_spec(*STANDARD, listener), consent=make_file_ref("consent.wav", load_sample_wav("rms-silent"))
        )
        report = self.train_voice(account, spec)
        assert report.status is RemoteStatus.FAILED
        assert "agrees to have their voice cloned" in report.issue

    @pytest.mark.parametrize("mode", [INSTANT, STANDARD])
    def test_requests_never_contain_the_name_of_a_person(
        self, account: SandboxAccount, relay: Relay, listener: CallbackServer, mode: Mode
    ) -> None:
        spec = self.make_spec(*mode, listener)
        clips = [
            replace(c, name="Jane Doe", transcript="I am Jane Doe.", audio=replace(c.audio, name="Jane Doe.wav"))
            for c in spec.clips
        ]
        spec = replace(spec, clips=tuple(clips), consent=make_file_ref("consent of Jane Doe.wav", load_statement()))
        with replace(account, address=relay.address).open_provider() as provider:
            provider.submit_build(spec, self.make_journal(spec))
        assert not [
            request for request in relay.received if "jane" in request.head.lower() or b"jane" in request.body.lower()
        ]
        names = [body["file_name"] for body in read_bodies(relay.received, "POST /audiostack/files ")]
        expected = [f"{spec.reference}-{key}.wav" for key in ("key-0", "key-1", "key-2", "consent")]
        assert names == expected[: len(names)]

    # --- files and killed workers ---

    @pytest.mark.parametrize(
        ("line", "saves_line"), [(3, True), (4, False)], ids=["before the upload", "after the upload"]
    )
    def test_next_worker_uses_the_announced_file(
        self, account: SandboxAccount, listener: CallbackServer, line: int, saves_line: bool
    ) -> None:
        """The worker is killed between POST /files and PUT, or between PUT and the journal line of the upload."""
        spec = self.make_spec(*INSTANT, listener)
        journal = self.kill_submit(account, spec, line, saves_line=saves_line)
        assert (account.count_successes("create_file"), journal.uploads) == (1, {})
        self.submit_until_done(account, spec, journal)
        assert (account.count_successes("create_file"), self.count_uploads(account)) == (3, 3)
        assert json.loads(journal.resume_state)["key"] == "key-2"

    def test_uploaded_consent_is_not_sent_again(self, account: SandboxAccount, listener: CallbackServer) -> None:
        spec = self.make_spec(*STANDARD, listener)
        lines = self.submit_until_done(account, spec, self.make_journal(spec)).line_count
        next_spec = self.make_spec(*STANDARD, listener)
        before = account.count_successes("upload_file")
        journal = self.kill_submit(account, next_spec, lines - 2, saves_line=False)  # just before "Creating the voice"
        assert len(journal.uploads) == 3
        self.submit_until_done(account, next_spec, journal)
        assert account.count_successes("upload_file") - before == 4

    def test_expired_upload_url_is_replaced(self, account: SandboxAccount, listener: CallbackServer) -> None:
        spec = self.make_spec(*INSTANT, listener)
        journal = self.kill_submit(account, spec, 3, saves_line=True)
        upload_state = json.loads(journal.resume_state)
        journal.resume_state = json.dumps(upload_state | {"url": upload_state["url"] + "expired"})
        self.submit_until_done(account, spec, journal)
        assert journal.uploads["key-0"][0] != upload_state["file_id"]
        assert account.count_creations()[spec.reference] == self.count_expected_creations(*INSTANT)

    def test_file_deleted_at_the_provider_is_replaced(self, account: SandboxAccount, listener: CallbackServer) -> None:
        spec = self.make_spec(*INSTANT, listener)
        journal = self.kill_submit(account, spec, 4, saves_line=False)
        with account.open_provider() as provider:
            path = f"/files/{json.loads(journal.resume_state)['file_id']}"
            provider.call("delete", "DELETE", path, may_be_empty=True)
        self.submit_until_done(account, spec, journal)
        assert account.count_successes("create_file") == 4

    def test_resume_state_of_another_build_is_not_used(self, account: SandboxAccount, listener: CallbackServer) -> None:
        """The old resume state may name the consent that was in force for that build."""
        spec = self.make_spec(*STANDARD, listener)
        old_state = self.submit_until_done(account, spec, self.make_journal(spec)).resume_state
        assert json.loads(old_state)["key"] == "consent"
        next_spec = replace(self.make_spec(*STANDARD, listener), resume_state=old_state)
        before = account.count_successes("create_file")
        self.submit_until_done(account, next_spec, self.make_journal(next_spec))
        assert account.count_successes("create_file") - before == 4

    @pytest.mark.parametrize("resume_state", ["[]", "5", "{}", '{"key": "key-0"}', "no JSON"])
    def test_unreadable_resume_state_is_not_used(
        self, account: SandboxAccount, listener: CallbackServer, resume_state: str
    ) -> None:
        spec = replace(self.make_spec(*INSTANT, listener, clips=1), resume_state=resume_state)
        self.submit_until_done(account, spec, self.make_journal(spec))
        assert account.count_successes("create_file") == 1

    def test_uploaded_recordings_are_not_sent_again(self, account: SandboxAccount, listener: CallbackServer) -> None:
        spec = self.make_spec(*INSTANT, listener)
        known = self.submit_until_done(account, spec, self.make_journal(spec)).apply_to(spec)
        next_spec = replace(known, reference=f"{spec.reference}-again", remote_id="")
        with account.open_provider() as provider:
            provider.submit_build(next_spec, self.make_journal(next_spec))
        assert (account.count_successes("create_file"), self.count_uploads(account)) == (3, 3)

    def set_file_statuses(self, hostile: HostileServer, statuses: Iterator[str]) -> None:
        """Respond with these statuses of a file, one after the other, and accept everything else."""
        file = {"fileId": "f/1", "uploadUrl": f"{hostile.address}/put", "mimeType": "audio/wav"}

        def script(request: ReceivedRequest) -> Iterator[bytes]:
            if request.request_line.startswith("GET /audiostack/files/f%2F1 "):
                yield make_response(200, file | {"status": next(statuses)})
            elif request.request_line.startswith("POST /audiostack/speech"):
                yield make_response(202, self.build_voice_response("processing") | {"data": {"status": "processing"}})
            else:
                yield make_response(200, file)

        hostile.script = script

    def test_file_is_polled_until_it_is_uploaded(
        self, client: AudioStack, hostile: HostileServer, listener: CallbackServer
    ) -> None:
        spec = self.make_spec(*INSTANT, listener, clips=1)
        self.set_file_statuses(hostile, iter(["pending", "", "PROCESSING", "Uploaded"]))
        client.submit_build(spec, self.make_journal(spec))
        lines = [request.request_line.split()[0] for request in hostile.received]
        assert lines == ["POST", "PUT", "GET", "GET", "GET", "GET", "POST"]

    def test_slow_file_is_polled_again_in_the_next_submit(
        self, client: AudioStack, hostile: HostileServer, listener: CallbackServer
    ) -> None:
        spec = self.make_spec(*INSTANT, listener, clips=1)
        self.set_file_statuses(hostile, iter(["pending"] * MAX_FILE_POLLS + ["uploaded"]))
        journal = self.make_journal(spec)
        with pytest.raises(ProviderUnavailable):
            client.submit_build(spec, journal)
        assert journal.pending_call == ""
        client.submit_build(journal.apply_to(spec), journal)
        assert [request.request_line.split()[0] for request in hostile.received].count("PUT") == 1

    @pytest.mark.parametrize("status", ["failed", "ERROR"])
    def test_file_with_status_failed_rejects_the_build(
        self, client: AudioStack, hostile: HostileServer, listener: CallbackServer, status: str
    ) -> None:
        spec = self.make_spec(*INSTANT, listener, clips=1)
        self.set_file_statuses(hostile, iter([status]))
        with pytest.raises(ProviderRejected):
            client.submit_build(spec, journal := self.make_journal(spec))
        assert journal.pending_call == ""

    def test_gate_is_checked_before_each_file_and_during_a_long_one(
        self, account: SandboxAccount, listener: CallbackServer
    ) -> None:
        class ConsentWithdrawn(Exception):
            pass

        for refused_call, uploads in ((1, 0), (2, 1), (3, 1)):
            spec = self.make_spec(*INSTANT, listener)
            long_clip = ClipUpload("key-1", "long", "", make_file_ref("long.wav", bytes(2 * BLOCK_BYTES)))
            spec = replace(spec, clips=(spec.clips[0], long_clip, spec.clips[2]))
            allowed_calls = iter(range(refused_call - 1))

            def refuse(_doing: str, _done: int, _total: int) -> None:
                if next(allowed_calls, None) is None:  # noqa: B023
                    raise ConsentWithdrawn

            journal, before = self.make_journal(spec), self.count_uploads(account)
            journal.record_progress = refuse  # type: ignore[method-assign, assignment]  # replaced on this object only
            with account.open_provider() as provider, pytest.raises(ConsentWithdrawn):
                provider.submit_build(spec, journal)
            assert self.count_uploads(account) - before == uploads

    # --- alias ---

    def test_taken_alias_is_recognized_as_own_voice_after_a_lost_response(
        self, account: SandboxAccount, listener: CallbackServer
    ) -> None:
        """This holds even if the create is repeated without a look-up."""
        spec = self.make_spec(*INSTANT, listener)
        journal = self.make_journal(spec)
        account.sandbox.set_faults({"operation": "clone_voice", "do": "drop", "phase": "after_commit", "nth": 1})
        with account.open_provider() as provider:
            with pytest.raises(OutcomeUnknown):
                provider.submit_build(spec, journal)
            report = provider.submit_build(journal.apply_to(spec), journal)
        assert (report.remote_id, report.status) == (spec.reference, RemoteStatus.TRAINING)
        assert (journal.remote_id, journal.pending_call) == (spec.reference, "")
        assert account.count_creations()[spec.reference] == self.count_expected_creations(*INSTANT)

    def test_alias_of_another_account_is_a_conflict(self, account: SandboxAccount, listener: CallbackServer) -> None:
        spec = self.make_spec(*INSTANT, listener)
        with replace(account, key=f"{account.key}-other").open_provider() as other:
            other.submit_build(spec, self.make_journal(spec))
        with account.open_provider() as provider, pytest.raises(Conflict):
            provider.submit_build(spec, journal := self.make_journal(spec))
        assert journal.remote_id == ""
        assert not account.sandbox.read_ledger(account=hash_key(account.key))

    # --- responses ---

    def test_discarded_files_are_reported_with_their_reasons(
        self, account: SandboxAccount, listener: CallbackServer
    ) -> None:
        spec = self.make_spec(*INSTANT, listener)
        silent = replace(spec.clips[1], audio=make_file_ref("b.wav", make_wav_bytes(make_white_noise(2.0, -80.0))))
        spec = replace(spec, clips=(spec.clips[0], silent, spec.clips[2]))
        report = self.train_voice(account, spec, journal := self.make_journal(spec))
        assert report.status is RemoteStatus.READY
        assert [(recording.remote_id, recording.discard_reason) for recording in report.recordings] == [
            (journal.uploads["key-1"][0], "There is no speech in the file.")
        ]

    @pytest.mark.parametrize(
        "discarded_files",
        [
            [{"fileId": "f1", "reason": "silent"}],
            [{"file_id": "f1", "message": "silent"}],
            [{"id": "f1", "error": ["silent"]}],
            {"f1": "silent"},
            [None, 5.5, {}, {"reason": "whose?"}, {"fileId": "f1", "reason": "silent"}],
        ],
    )
    def test_discarded_files_are_parsed_in_any_form(self, discarded_files: Any) -> None:
        report = parse_report({"data": {"status": "succeeded", "discardedFiles": discarded_files}}, "x")
        assert report
        assert [(recording.remote_id, recording.discard_reason) for recording in report.recordings] == [
            ("f1", "silent")
        ]

    def test_file_discarded_without_a_reason_is_reported(self) -> None:
        report = parse_report({"data": {"status": "succeeded", "discardedFiles": ["f1", {"fileId": 2}]}}, "x")
        assert report
        assert [(recording.remote_id, recording.discard_reason) for recording in report.recordings] == [
            ("f1", NO_REASON),
            ("2", NO_REASON),
        ]

    @pytest.mark.parametrize(
        "response",
        [
            {"data": {"alias": "x", "status": "succeeded"}},
            {"data": {"state": {"status": "succeeded"}}},
            {"data": [{"alias": "other", "status": "failed"}, {"alias": "x", "status": "succeeded"}]},
            {"status": "succeeded", "discardedFiles": []},
        ],
    )
    def test_status_is_found_in_any_shape(self, response: dict[str, Any]) -> None:
        report = parse_report(response, "x")
        assert report
        assert (report.remote_id, report.name, report.status) == ("x", "x", RemoteStatus.READY)

    @pytest.mark.parametrize(
        "response", [{"data": {}}, {"data": []}, {"data": None}, {"data": {"alias": "other", "status": "succeeded"}},
                 {"data": [{"alias": "other", "status": "succeeded"}]}],
    )  # fmt: skip
    def test_response_without_the_requested_voice_gives_no_report(self, response: dict[str, Any]) -> None:
        assert parse_report(response, "x") is None

    @pytest.mark.parametrize("response", [{}, {"message": "Hello."}, {"data": "x"}, {"data": {"a": 1}}, {"data": [5]}])
    def test_response_of_unexpected_shape_does_not_mean_that_a_voice_is_absent(self, response: dict[str, Any]) -> None:
        with pytest.raises(ResponseUnreadable):
            parse_report(response, "x")

    @pytest.mark.parametrize("data", [{}, {"data": {}}, {"data": {"alias": "x"}}, {"data": {"jobId": 7}}])
    def test_202_in_the_envelope_is_success_with_any_data(self, data: dict[str, Any]) -> None:
        report = parse_create_response({"statusCode": 202, "message": "It is being created."} | data, "x")
        assert (report.remote_id, report.status) == ("x", RemoteStatus.TRAINING)

    def test_error_in_the_envelope_of_a_200_response_is_a_rejection(
        self, client: AudioStack, hostile: HostileServer, listener: CallbackServer
    ) -> None:
        hostile.respond_with(make_response(200, {"statusCode": 402, "message": "No credits.", "details": "Top up."}))
        with pytest.raises(ProviderRejected) as exc_info:
            client.check_key()
        assert exc_info.value.detail == "No credits.; Top up."

    # --- preview ---

    def test_preview_needs_a_finished_voice(self, account: SandboxAccount, listener: CallbackServer) -> None:
        unfinished, ready = (self.make_spec(*INSTANT, listener) for _ in range(2))
        with account.open_provider() as provider:
            provider.submit_build(unfinished, self.make_journal(unfinished))
            self.train_voice(account, ready)
            with pytest.raises(ProviderRejected):
                provider.generate_preview(unfinished.reference, "Good morning.")
            sound = provider.generate_preview(ready.reference, "Good morning.")
        assert (sound.content[:4], sound.content_type) == (b"RIFF", "audio/wav")

    @pytest.mark.parametrize("field", ["url", "audioUrl", "previewUrl"])
    @pytest.mark.parametrize("wrapped", [True, False])
    def test_preview_is_downloaded_from_a_url(
        self, client: AudioStack, hostile: HostileServer, field: str, wrapped: bool
    ) -> None:
        url_field = {field: f"{hostile.address}/sound.wav"}

        def script(request: ReceivedRequest) -> Iterator[bytes]:
            yield make_response(
                200, WAV if request.request_line.startswith("GET ") else {"data": url_field} if wrapped else url_field
            )

        hostile.script = script
        assert client.generate_preview("x", "Hello.").content == WAV
        request, download = hostile.received
        assert json.loads(request.body) == {"text": "Hello.", "voice": "x"}
        assert KEY in request.head
        assert KEY not in download.head

    @pytest.mark.parametrize("response", [{}, {"data": {"url": 5}}, {"data": [1]}, {"url": "http://169.254.169.254/"}])
    def test_preview_without_audio_is_unreadable(
        self, client: AudioStack, hostile: HostileServer, response: Any
    ) -> None:
        hostile.respond_with(make_response(200, response))
        with pytest.raises(ResponseUnreadable):
            client.generate_preview("x", "Hello.")
        assert len(hostile.received) == 1


def test_limits_match_the_documentation_of_the_vendor() -> None:
    instant, standard = (
        {name: limit.value for name, limit in AudioStack.tiers[tier].limits.items() if limit.hard}
        for tier in (Tier.RAPID, Tier.PROFESSIONAL)
    )
    both = {"shortest_clip": 1.5}
    assert instant == both | {"most_recordings": 25, "least_seconds": 1.5, "most_bytes": 10_000_000}
    assert standard == both | {"most_recordings": 500, "least_seconds": 20 * 60, "most_bytes": 500_000_000}
    assert [AudioStack.tiers[tier].credits for tier in (Tier.RAPID, Tier.PROFESSIONAL)] == [300, 1200]
