"""Resemble AI, version 1: the contract, the upload URL that it returns only once, and a voice list with few fields."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from providers.errors import NotFound, OutcomeUnknown, ProviderRejected, ResponseUnreadable
from providers.http import HttpProvider
from providers.resemble_v1.adapter import PROGRESS_BYTES, ResembleV1
from providers.resemble_v1.parsing import UploadTarget
from providers.types import BuildReport, Handover, RemoteStatus, Tier, UploadFile
from tests.providers.contract import SandboxAccount
from tests.providers.factories import make_upload_file
from tests.providers.http_contract import HttpProviderContract
from tests.providers.journal import WorkerKilled
from tests.support.hostile_server import HostileServer, ReceivedRequest, make_response
from tests.support.sandbox import CallbackServer, SandboxProcess, poll_until

WAV_MODE = (Tier.PROFESSIONAL, Handover.SIGNED_PUT_WAV)


class TestResembleV1(HttpProviderContract):
    provider_class = ResembleV1
    creating_operations = ("v1_create_voice", "v1_build")
    empty_success_operations = ("v1_build",)
    upload_operation = "v1_upload"
    can_upload_again = True
    fails_after_lost_create = True
    has_id_in_url = False
    statuses: ClassVar[dict[str, RemoteStatus]] = {
        "": RemoteStatus.UNKNOWN,
        "initializing": RemoteStatus.AWAITING_DATA,
        "running": RemoteStatus.TRAINING,
        "finished": RemoteStatus.READY,
        "dataset_issue": RemoteStatus.DATASET_ISSUE,
    }
    responses_without_id: ClassVar[list[Any]] = [
        {},
        {"url": "https://x", "headers": {}},
        {"url": "https://x", "headers": {}, "voice": None},
        {"url": "https://x", "headers": {}, "voice": ""},
        {"url": "https://x", "headers": {}, "voice": {"uuid": "x"}},
        {"url": "https://x", "headers": {}, "voice": True},
    ]
    odd_responses: ClassVar[list[Any]] = [
        [None, 5, [], "x", {"uuid": None}, {"uuid": "x", "status": ["a"], "scores": [1], "name": {"b": 1}}],
        {"voice": "x", "url": 5, "headers": "none"},
        {"voice": "x", "url": "https://other.example/", "headers": {"": 1, "A\nB": "c", "X": "ä", "Y": [1]}},
    ]

    def build_voice_response(self, status: str) -> list[dict[str, Any]]:
        return [{"name": "z", "uuid": "z"}, {"name": "y", "language": "en-US", "id": 7, "uuid": "x", "status": status}]

    def build_error_response(self, text: str) -> dict[str, Any]:
        return {"errors": [text]}

    def test_unknown_voice_is_not_found(self, account: SandboxAccount) -> None:
        """The vendor does not document which voices it lists. A missing voice may be in training and not deleted."""
        with account.open_provider() as provider:
            assert provider.fetch_build("unknown") == BuildReport("unknown", RemoteStatus.UNKNOWN, "")
            assert provider.find_build("vh-unknown") is None

    def test_all_modes_train_and_report_four_scores(self, account: SandboxAccount, listener: CallbackServer) -> None:
        account.sandbox.call_control("POST", "settings", {"training_seconds": 0.0})
        for tier, handover in self.list_modes():
            spec = self.make_spec(tier, handover, listener)
            with account.open_provider() as provider:
                remote_id = provider.submit_build(spec, self.make_journal(spec)).remote_id
                report = poll_until(lambda: self._fetch_ended(provider, remote_id))  # noqa: B023
                callback_report = provider.parse_callback(listener.callbacks.get(timeout=60)[1].encode())
            assert report.status is RemoteStatus.READY, (handover, report.issue)
            assert set(report.scores) == {"voice_similarity", "fluency", "pauses", "resemble_score"}
            assert (callback_report.remote_id, callback_report.status, callback_report.scores) == (
                remote_id,
                RemoteStatus.READY,
                report.scores,
            )

    def _fetch_ended(self, provider: HttpProvider, remote_id: str) -> BuildReport | None:
        report = provider.fetch_build(remote_id)
        return None if report.status is RemoteStatus.TRAINING else report

    def test_status_is_unknown_if_the_voice_list_has_only_the_documented_fields(
        self, client: HttpProvider, hostile: HostileServer
    ) -> None:
        hostile.respond_with(make_response(200, [{"name": "y", "language": "en-US", "id": 7, "uuid": "x"}]))
        for remote_id in ("x", "7"):
            report = client.fetch_build(remote_id)
            assert (report.remote_id, report.status, report.raw_status) == (remote_id, RemoteStatus.UNKNOWN, "")
            assert report.version == ""

    @pytest.mark.parametrize(
        "scores", [{"scores": {"pauses": "0.25", "fluency": 0.5}}, {"pauses": 0.25, "fluency": 0.5}]
    )
    def test_scores_are_read_from_the_voice_and_from_its_scores_object(
        self, client: HttpProvider, hostile: HostileServer, scores: dict[str, Any]
    ) -> None:
        hostile.respond_with(make_response(200, [{"name": "y", "id": "x"} | scores]))
        assert client.fetch_build("x").scores == {"pauses": 0.25, "fluency": 0.5}

    # --- create request ---

    def test_create_request_has_the_documented_fields(
        self, client: HttpProvider, hostile: HostileServer, listener: CallbackServer
    ) -> None:
        hostile.respond_with(make_response(200, {}))
        spec = self.make_spec(*self.list_modes()[0], listener)
        assert spec.pack_file is not None
        packed_file = spec.pack_file()
        with pytest.raises(OutcomeUnknown):
            client.submit_build(spec, self.make_journal(spec))
        body = json.loads(hostile.received[0].body)
        assert body == {
            "name": spec.reference,
            "filename": "voice.tar.gz",
            "byte_size": packed_file.size,
            "checksum": body["checksum"],
            "content-type": "application/gzip",
            "content_type": "application/gzip",
            "callback_uri": spec.callback_url,
        }
        assert len(body["checksum"]) == 24
        assert "authorization: Token token=" in hostile.received[0].head.replace("Authorization", "authorization")

    # --- upload URL ---

    def _respond_to_submit(self, hostile: HostileServer, *, put: bytes, headers: dict[str, Any] | None = None) -> None:
        signed = {"Content-Type": "audio/x-wav", "Content-MD5": "abc"} if headers is None else headers

        def script(request: ReceivedRequest) -> Iterator[bytes]:
            method, path, _ = request.request_line.split()
            responses: dict[tuple[str, str], Any] = {
                ("POST", "/resemble/api/v1/voices"): {
                    "url": f"{hostile.address}/up?s=1",
                    "headers": signed,
                    "voice": "x",
                },
                ("GET", "/resemble/api/v1/voices"): [{"name": "y", "uuid": "x"}],
                ("POST", "/resemble/api/v1/voices/build"): {"success": True},
            }
            yield put if method == "PUT" else make_response(200, responses[method, path])

        hostile.script = script

    def test_signed_headers_are_sent_unchanged(
        self, client: HttpProvider, hostile: HostileServer, listener: CallbackServer
    ) -> None:
        headers = {"Content-Type": "a/b", "Content-MD5": "xyz", "X-Amz-Thing": 5, "Host": "evil", "Content-Length": "1"}
        self._respond_to_submit(hostile, put=make_response(200, b""), headers=headers)
        spec = self.make_spec(*WAV_MODE, listener)
        assert spec.pack_file is not None
        assert client.submit_build(spec, self.make_journal(spec)).status is RemoteStatus.TRAINING
        (sent,) = [request for request in hostile.received if request.request_line.startswith("PUT")]
        lines = sent.head.split("\r\n")
        assert {"Content-Type: a/b", "Content-MD5: xyz", "X-Amz-Thing: 5"} <= set(lines)
        assert [line for line in lines if line.startswith("Content-Length")] == [
            f"Content-Length: {spec.pack_file().size}"
        ]
        assert "evil" not in sent.head
        assert sent.body == b"".join(spec.pack_file().chunks())

    @pytest.mark.parametrize("status", [401, 403])
    def test_expired_upload_url_is_reported(
        self, client: HttpProvider, hostile: HostileServer, listener: CallbackServer, status: int
    ) -> None:
        self._respond_to_submit(hostile, put=make_response(status, b"<Error><Code>AccessDenied</Code></Error>"))
        spec = self.make_spec(*WAV_MODE, listener)
        with pytest.raises(ProviderRejected, match="no longer valid"):
            client.submit_build(spec, self.make_journal(spec))
        assert not [request for request in hostile.received if "/build" in request.request_line]

    @pytest.mark.parametrize(
        "resume_state", ["", "{}", "nonsense", '{"voice": "y", "url": "", "headers": {}, "checksum": ""}']
    )
    def test_lost_upload_url_is_reported_and_nothing_is_created(
        self, client: HttpProvider, hostile: HostileServer, listener: CallbackServer, resume_state: str
    ) -> None:
        spec = replace(self.make_spec(*WAV_MODE, listener), remote_id="x", resume_state=resume_state)
        with pytest.raises(ProviderRejected, match="Build again"):
            client.submit_build(spec, self.make_journal(spec))
        assert not hostile.received

    def test_upload_url_is_saved_before_the_voice_id(self, account: SandboxAccount, listener: CallbackServer) -> None:
        """If the next worker knows the id of the voice, it must know the upload URL too."""
        for tier, handover in self.list_modes():
            spec = self.make_spec(tier, handover, listener)
            for line in range(1, self.submit_until_done(account, spec, self.make_journal(spec)).line_count + 1):
                spec = self.make_spec(tier, handover, listener)
                journal = self.make_journal(spec, kill_at_line=line, saves_killed_line=True)
                with account.open_provider() as provider, suppress(WorkerKilled):
                    provider.submit_build(spec, journal)
                assert journal.resume_state or not journal.remote_id, line

    def test_response_without_an_upload_url_is_rejected(
        self, client: HttpProvider, hostile: HostileServer, listener: CallbackServer
    ) -> None:
        hostile.respond_with(make_response(200, {"voice": "x", "headers": {}}))
        spec = self.make_spec(*WAV_MODE, listener)
        with pytest.raises(ProviderRejected, match="Build again"):
            client.submit_build(spec, journal := self.make_journal(spec))
        assert (journal.remote_id, journal.pending_call) == ("x", "")

    def test_file_with_another_checksum_is_not_sent(
        self, client: HttpProvider, hostile: HostileServer, listener: CallbackServer
    ) -> None:
        target = UploadTarget("x", f"{hostile.address}/up", {}, "AAAAAAAAAAAAAAAAAAAAAA==")
        spec = replace(self.make_spec(*WAV_MODE, listener), remote_id="x", resume_state=target.dump_json())
        with pytest.raises(ProviderRejected, match="announced"):
            client.submit_build(spec, self.make_journal(spec))
        assert not hostile.received

    def test_file_that_was_sent_is_not_packed_or_sent_again(
        self, client: HttpProvider, hostile: HostileServer, listener: CallbackServer
    ) -> None:
        self._respond_to_submit(hostile, put=make_response(500, b""))

        def fail_to_pack() -> UploadFile:
            raise AssertionError("packed again")

        target = UploadTarget("x", f"{hostile.address}/up", {}, "any", sent=True)
        spec = replace(
            self.make_spec(*WAV_MODE, listener), remote_id="x", resume_state=target.dump_json(), pack_file=fail_to_pack
        )
        assert client.submit_build(spec, self.make_journal(spec)).status is RemoteStatus.TRAINING

    @pytest.mark.parametrize("status", ["running", "finished", "dataset_issue", "failed"])
    def test_started_build_is_not_started_again(
        self, client: HttpProvider, hostile: HostileServer, listener: CallbackServer, status: str
    ) -> None:
        """The build call whose response was lost arrived late, after two look-ups."""
        hostile.respond_with(make_response(200, self.build_voice_response(status)))
        target = UploadTarget("x", f"{hostile.address}/up", {}, "any", sent=True)
        spec = replace(self.make_spec(*WAV_MODE, listener), remote_id="x", resume_state=target.dump_json())
        assert client.submit_build(spec, self.make_journal(spec)).raw_status == status
        assert [request.request_line.split()[0] for request in hostile.received] == ["GET"]

    @pytest.mark.parametrize("body", [b"", b"  ", b"{}"])
    def test_build_response_may_be_empty(
        self, client: HttpProvider, hostile: HostileServer, listener: CallbackServer, body: bytes
    ) -> None:
        responses = [make_response(200, self.build_voice_response("")), make_response(200, body)]
        hostile.script = lambda request: [responses["/build" in request.request_line]]
        target = UploadTarget("x", f"{hostile.address}/up", {}, "any", sent=True)
        spec = replace(self.make_spec(*WAV_MODE, listener), remote_id="x", resume_state=target.dump_json())
        assert client.submit_build(spec, self.make_journal(spec)).status is RemoteStatus.TRAINING

    # --- packed file ---

    def test_large_file_is_streamed_with_progress(
        self, client: HttpProvider, hostile: HostileServer, listener: CallbackServer
    ) -> None:
        """Each chunk is read just before it is sent. The progress report at every megabyte extends the lease."""
        self._respond_to_submit(hostile, put=make_response(200, b""))
        full_file = make_upload_file("voice.wav", "audio/x-wav", bytes(5 * PROGRESS_BYTES + 1))
        events: list[str] = []

        def chunks() -> Iterator[bytes]:
            for chunk in full_file.chunks():
                events.append("chunk")
                yield chunk

        spec = replace(self.make_spec(*WAV_MODE, listener), pack_file=lambda: replace(full_file, chunks=chunks))
        journal = self.make_journal(spec)
        record_progress = journal.record_progress

        def record_and_log(doing: str, done: int, total: int) -> None:
            record_progress(doing, done, total)
            if doing.startswith("Sending"):
                events.append(f"{done} of {total}")

        journal.record_progress = record_and_log  # type: ignore[method-assign]
        client.submit_build(spec, journal)
        chunks_per_report = ["chunk"] * (PROGRESS_BYTES >> 16)
        expected_parts = [[f"{number} of 6", *chunks_per_report] for number in range(5)]
        assert events == [*sum(expected_parts, []), "5 of 6", "chunk"]

    @pytest.mark.parametrize("url", ["https://other.example/x", "http://127.0.0.1:9/x", "file:///etc/passwd", "/x"])
    def test_upload_url_outside_the_sandbox_is_refused(
        self, client: HttpProvider, hostile: HostileServer, listener: CallbackServer, url: str
    ) -> None:
        """A sandbox account sends its recordings to the sandbox only."""
        hostile.respond_with(make_response(200, {"voice": "x", "url": url, "headers": {}}))
        spec = self.make_spec(*WAV_MODE, listener)
        with pytest.raises(ResponseUnreadable, match="not safe"):
            client.submit_build(spec, self.make_journal(spec))
        assert len(hostile.received) == 1

    def test_unreadable_dataset_is_a_dataset_issue(
        self, account: SandboxAccount, sandbox: SandboxProcess, listener: CallbackServer
    ) -> None:
        sandbox.call_control("POST", "settings", {"training_seconds": 0.0})
        unreadable_file = make_upload_file("voice.tar.gz", "application/gzip", b"junk")
        spec = replace(self.make_spec(*self.list_modes()[0], listener), pack_file=lambda: unreadable_file)
        with account.open_provider() as provider:
            remote_id = provider.submit_build(spec, self.make_journal(spec)).remote_id
            report = poll_until(lambda: self._fetch_ended(provider, remote_id))
        assert report.status is RemoteStatus.DATASET_ISSUE
        assert "neither a readable .zip" in report.issue

    def test_build_of_a_voice_deleted_at_the_provider_is_not_found(
        self, client: HttpProvider, hostile: HostileServer, listener: CallbackServer
    ) -> None:
        responses = [make_response(200, []), make_response(404, {"errors": ["Voice not found."]})]
        hostile.script = lambda request: [responses["/build" in request.request_line]]
        target = UploadTarget("x", f"{hostile.address}/up", {}, "any", sent=True)
        spec = replace(self.make_spec(*WAV_MODE, listener), remote_id="x", resume_state=target.dump_json())
        with pytest.raises(NotFound):
            client.submit_build(spec, self.make_journal(spec))
