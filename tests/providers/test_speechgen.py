"""Speechgen: the contract, the single multipart call, the two ids of a voice, sound samples, and the model list."""

from dataclasses import replace
from email import message_from_bytes
from email.message import Message
from typing import Any, ClassVar

import numpy as np
import pytest

from providers.errors import ProviderRejected, ProviderUnavailable, ResponseUnreadable, UnsupportedFeature
from providers.http import HttpProvider
from providers.speechgen.adapter import Speechgen
from providers.speechgen.parsing import parse_report
from providers.types import BuildReport, Handover, RemoteStatus, Sample, Tier, UploadFile
from tests.providers.contract import SandboxAccount
from tests.providers.factories import KEY, make_upload_file
from tests.providers.http_contract import HttpProviderContract
from tests.support.hostile_server import HostileServer, ReceivedRequest, make_response
from tests.support.sandbox import CallbackServer, poll_until
from tests.support.wav import RATE, make_wav_bytes

MODE = (Tier.RAPID, Handover.ONE_FILE)
# Verbatim from the vendor's documentation: its two different responses to a create, and a finished model.
CLONE_RESPONSE: dict[str, Any] = {
    "model_id": "vm_abc123xyz",
    "name": "My Custom Voice",
    "description": "Professional narrator voice",
    "status": "processing",
    "created_at": "2024-01-15T10:30:00Z",
    "estimated_completion": "2024-01-15T10:31:00Z",
    "samples": [
        {
            "title": "Default Sample",
            "text": "This is a demonstration of the voice clone...",
            "audio_url": "https://cdn.speechgen.com/samples/abc123.mp3",
        }
    ],
}
SHORT_CLONE_RESPONSE = {"model_id": "vm_abc123xyz", "status": "processing", "estimated_time": 60}
READY = {
    "model_id": "vm_abc123xyz",
    "name": "My Custom Voice",
    "status": "ready",
    "voice_id": "custom-abc123",
    "created_at": "2024-01-15T10:30:00Z",
    "usage_count": 0,
}
WAV = b"RIFF\x04\0\0\0WAVE"


def read_parts(request: ReceivedRequest) -> dict[str, Message]:
    """The parts of a multipart request by name; checks that no two parts share a name."""
    head = request.head.partition("\r\n")[2].encode("latin-1")
    parts: list[Any] = message_from_bytes(head + request.body).get_payload()  # type: ignore[assignment]  # of multipart
    names = [str(part.get_param("name", header="content-disposition")) for part in parts]
    assert len(set(names)) == len(names)
    return dict(zip(names, parts, strict=True))


def make_silent_file() -> UploadFile:
    return make_upload_file("voice.wav", "audio/wav", make_wav_bytes(np.zeros(12 * RATE)))


def list_models(client: HttpProvider, hostile: HostileServer, response: Any) -> list[str]:
    hostile.respond_with(make_response(200, response))
    return [report.remote_id for report in client.list_voices()]


class TestSpeechgen(HttpProviderContract):
    provider_class = Speechgen
    creating_operations = ("sg_clone",)
    upload_operation = ""
    success_status = 201
    statuses: ClassVar[dict[str, RemoteStatus]] = {
        "processing": RemoteStatus.TRAINING,
        "ready": RemoteStatus.READY,
        "failed": RemoteStatus.FAILED,
    }
    responses_without_id: ClassVar[list[Any]] = [
        {},
        {"status": "processing", "estimated_time": 60},
        {"model_id": None},
        {"model_id": ""},
        {"model_id": []},
        {"model_id": {"id": "x"}},
        {"model": {"model_id": "x"}},
    ]
    odd_responses: ClassVar[list[Any]] = [
        {"model_id": "x", "status": ["ready"], "name": {"a": 1}, "samples": "none", "voice_id": 5},
        {"model_id": "x", "status": "ready", "voice_id": None, "samples": [None, 5, {}, {"audio_url": ["x"]}]},
        {"model_id": 7, "status": None, "samples": {"audio_url": "x"}},
        {"model_id": "x", "status": "failed", "error": {"message": {"a": [1]}, "param": [None]}},
        {"models": {"models": {"models": []}}},
        {"models": [None, 5, "x", [], {"model_id": {}}, {"model_id": "x", "samples": 7}]},
        {"error": {"code": None}},
        {"error": [1]},
        [{"model_id": "x"}],
    ]

    def build_voice_response(self, status: str) -> dict[str, Any]:
        return READY | {"model_id": "x", "status": status}

    def build_error_response(self, text: str) -> dict[str, Any]:
        return {"error": {"code": "some_code", "message": text, "param": "audio"}}

    def wait_for_build(self, account: SandboxAccount, remote_id: str) -> BuildReport:
        account.sandbox.call_control("POST", "clock", {"forward": 601})

        def fetch_ended() -> BuildReport | None:
            with account.open_provider() as provider:
                report = provider.fetch_build(remote_id)
            return report if report.status is not RemoteStatus.TRAINING else None

        return poll_until(fetch_ended)

    # --- create ---

    def test_form_has_exactly_the_documented_fields(
        self, client: HttpProvider, hostile: HostileServer, listener: CallbackServer
    ) -> None:
        hostile.respond_with(make_response(201, CLONE_RESPONSE))
        spec = self.make_spec(*MODE, listener)
        assert spec.pack_file
        client.submit_build(spec, self.make_journal(spec))
        (request,) = hostile.received
        assert request.request_line == "POST /speechgen/v1/voice-clone HTTP/1.1"
        assert f"Authorization: Bearer {KEY}\r\n" in request.head
        parts = read_parts(request)
        fields = {name: part.get_payload() for name, part in parts.items() if name != "audio"}
        assert fields == {"name": spec.reference, "description": "Made by VoiceHub", "enhance_quality": "true"}
        audio = parts["audio"]
        assert audio.get_filename() == "voice.mp3"
        assert audio.get_content_type() == "audio/mpeg"
        assert b"".join(spec.pack_file().chunks()) in request.body

    @pytest.mark.parametrize("response", [CLONE_RESPONSE, SHORT_CLONE_RESPONSE], ids=["with samples", "with a time"])
    @pytest.mark.parametrize("status", [200, 201, 202])
    def test_both_documented_responses_are_parsed(
        self,
        client: HttpProvider,
        hostile: HostileServer,
        listener: CallbackServer,
        response: dict[str, Any],
        status: int,
    ) -> None:
        hostile.respond_with(make_response(status, response))
        spec = self.make_spec(*MODE, listener)
        report = client.submit_build(spec, journal := self.make_journal(spec))
        assert (journal.remote_id, journal.pending_call) == ("vm_abc123xyz", "")
        assert (report.remote_id, report.status, report.raw) == ("vm_abc123xyz", RemoteStatus.TRAINING, response)

    def test_gate_is_checked_before_the_file_is_sent(
        self, client: HttpProvider, hostile: HostileServer, listener: CallbackServer
    ) -> None:
        class ConsentWithdrawn(Exception):
            pass

        def make_file() -> UploadFile:
            made_files.append(upload := make_silent_file())
            return upload

        def refuse(_doing: str, _done: int, _total: int) -> None:
            if made_files:  # consent is withdrawn while the file is being made
                raise ConsentWithdrawn

        made_files: list[UploadFile] = []
        spec = replace(self.make_spec(*MODE, listener), pack_file=make_file)
        journal = self.make_journal(spec)
        journal.record_progress = refuse  # type: ignore[method-assign, assignment]  # replaced on this object only
        with pytest.raises(ConsentWithdrawn):
            client.submit_build(spec, journal)
        assert not hostile.received
        assert journal.pending_call == ""

    def test_known_model_is_not_created_again(
        self, client: HttpProvider, hostile: HostileServer, listener: CallbackServer
    ) -> None:
        hostile.respond_with(make_response(200, READY))
        spec = replace(self.make_spec(*MODE, listener), remote_id="vm_abc123xyz")
        assert client.submit_build(spec, self.make_journal(spec)).status is RemoteStatus.READY
        assert [request.request_line for request in hostile.received] == [
            "GET /speechgen/v1/models/vm_abc123xyz HTTP/1.1"
        ]

    def test_build_without_a_file_sends_nothing(
        self, client: HttpProvider, hostile: HostileServer, listener: CallbackServer
    ) -> None:
        spec = replace(self.make_spec(*MODE, listener), pack_file=None)
        with pytest.raises(UnsupportedFeature):
            client.submit_build(spec, journal := self.make_journal(spec))
        assert not hostile.received
        assert journal.pending_call == ""

    def test_error_in_a_201_response_is_a_rejection(
        self, client: HttpProvider, hostile: HostileServer, listener: CallbackServer
    ) -> None:
        hostile.respond_with(make_response(201, self.build_error_response("No more models.")))
        spec = self.make_spec(*MODE, listener)
        with pytest.raises(ProviderRejected) as exc_info:
            client.submit_build(spec, self.make_journal(spec))
        assert exc_info.value.detail == "No more models. (audio)"

    def test_response_with_a_model_and_an_error_is_no_rejection(
        self, client: HttpProvider, hostile: HostileServer, listener: CallbackServer
    ) -> None:
        """The response names a model, so the model exists and may be billed."""
        hostile.respond_with(make_response(201, CLONE_RESPONSE | self.build_error_response("The audio is noisy.")))
        spec = self.make_spec(*MODE, listener)
        assert client.submit_build(spec, self.make_journal(spec)).remote_id == "vm_abc123xyz"

    def test_unreadable_audio_is_rejected_by_the_sandbox(
        self, account: SandboxAccount, listener: CallbackServer
    ) -> None:
        spec = self.make_spec(*MODE, listener)
        assert spec.pack_file
        unreadable_file = replace(spec.pack_file(), chunks=lambda: iter([b"no audio"]))
        with account.open_provider() as provider, pytest.raises(ProviderRejected) as exc_info:
            provider.submit_build(replace(spec, pack_file=lambda: unreadable_file), self.make_journal(spec))
        assert exc_info.value.status == 400
        assert "cannot be read" in exc_info.value.detail
        assert not account.count_creations()

    # --- responses ---

    def test_samples_are_listed_at_creation_and_downloaded_once_ready(
        self, account: SandboxAccount, listener: CallbackServer
    ) -> None:
        spec = self.make_spec(*MODE, listener)
        with account.open_provider() as provider:
            report = provider.submit_build(spec, self.make_journal(spec))
            (sample,) = report.samples
            assert sample.title == "Default Sample"
            assert sample.text
            with pytest.raises(ProviderRejected):
                provider.download_sound(sample.url)
            assert self.wait_for_build(account, report.remote_id).status is RemoteStatus.READY
            sound = provider.download_sound(sample.url)
        assert sound.content_type == "audio/mpeg"
        assert len(sound.content) > 10_000

    def test_samples_without_a_url_are_ignored(self) -> None:
        good = {"title": 5, "text": None, "audio_url": "https://cdn.speechgen.com/a.mp3"}
        report = parse_report(CLONE_RESPONSE | {"samples": [good, {"title": "x"}, {"audio_url": ""}, None, 5, "x"]})
        assert report.samples == (Sample("5", "", "https://cdn.speechgen.com/a.mp3"),)
        for invalid in (None, {}, "x", 5, {"audio_url": "x"}):
            assert parse_report(CLONE_RESPONSE | {"samples": invalid}).samples == ()

    def test_sample_outside_the_sandbox_is_not_downloaded(
        self, client: HttpProvider, hostile: HostileServer, other_server: HostileServer, listener: CallbackServer
    ) -> None:
        sample = {"title": "x", "text": "y", "audio_url": f"{other_server.address}/a.mp3"}
        hostile.respond_with(make_response(201, CLONE_RESPONSE | {"samples": [sample]}))
        spec = self.make_spec(*MODE, listener)
        with pytest.raises(ResponseUnreadable):
            client.download_sound(client.submit_build(spec, self.make_journal(spec)).samples[0].url)
        assert not other_server.received

    @pytest.mark.parametrize(
        ("fields", "issue"),
        [
            ({"failure_reason": "Two speakers."}, "Two speakers."),
            ({"error": "Two speakers."}, "Two speakers."),
            ({"error": {"code": "speakers", "message": "Two speakers."}}, "Two speakers."),
            ({"error": {"code": "speakers"}}, "speakers"),
            ({"error": {}, "reason": ["Two", "speakers."]}, "Two; speakers."),
            ({"message": "Two speakers."}, "Two speakers."),
            ({"error": None}, ""),
            ({}, ""),
        ],
    )
    def test_failed_model_is_reported_with_its_reason(
        self, client: HttpProvider, hostile: HostileServer, fields: dict[str, Any], issue: str
    ) -> None:
        hostile.respond_with(make_response(200, READY | {"status": "failed"} | fields))
        report = client.fetch_build("vm_abc123xyz")
        assert (report.status, report.issue) == (RemoteStatus.FAILED, issue)
        assert parse_report(READY | fields).issue == "", "a model that did not fail has no issue"

    def test_model_of_silent_audio_fails_with_a_reason(self, account: SandboxAccount, listener: CallbackServer) -> None:
        spec = self.make_spec(*MODE, listener)
        silent_spec = replace(spec, pack_file=make_silent_file)
        with account.open_provider() as provider:
            report = provider.submit_build(silent_spec, self.make_journal(spec))
        report = self.wait_for_build(account, report.remote_id)
        assert report.status is RemoteStatus.FAILED
        assert "no speech" in report.issue

    # --- list ---

    @pytest.mark.parametrize(
        "wrap",
        [
            lambda models: models,
            lambda models: {"models": models},
            lambda models: {"data": models},
            lambda models: {"items": models, "total": 2},
            lambda models: {"results": models, "next": None},
            lambda models: {"data": {"models": models}},
            lambda models: {"success": True, "models": models, "data": "v1"},
        ],
        ids=range(7),
    )
    def test_model_list_is_parsed_in_any_shape(self, client: HttpProvider, hostile: HostileServer, wrap: Any) -> None:
        second = READY | {"model_id": "vm_2"}
        assert list_models(client, hostile, wrap([READY, second])) == ["vm_abc123xyz", "vm_2"]
        assert list_models(client, hostile, wrap([])) == []
        client.check_key()

    @pytest.mark.parametrize("response", [{}, {"models": None}, {"models": "none"}, {"data": {}}, {"count": 0}])
    def test_response_without_a_model_list_is_unreadable(
        self, client: HttpProvider, hostile: HostileServer, response: Any
    ) -> None:
        with pytest.raises(ResponseUnreadable):
            list_models(client, hostile, response)

    @pytest.mark.parametrize("body", [b"", b"<html>It works!</html>", b'"yes"', b"[1, 2"])
    def test_key_check_raises_error_for_an_unreadable_response(
        self, client: HttpProvider, hostile: HostileServer, body: bytes
    ) -> None:
        hostile.respond_with(make_response(200, body))
        with pytest.raises(ResponseUnreadable):
            client.check_key()

    # --- voice id and model id ---

    def test_preview_uses_the_voice_id_and_not_the_model_id(self, client: HttpProvider, hostile: HostileServer) -> None:
        def script(request: ReceivedRequest) -> list[bytes]:
            return [make_response(200, WAV if "text-to-speech" in request.request_line else READY)]

        hostile.script = script
        sound = client.generate_preview("vm_abc123xyz", "Hello.")
        assert (sound.content, sound.content_type) == (WAV, "audio/wav")
        lookup, speech = hostile.received
        assert lookup.request_line == "GET /speechgen/v1/models/vm_abc123xyz HTTP/1.1"
        assert speech.request_line == "POST /speechgen/v1/text-to-speech HTTP/1.1"
        assert speech.body == b'{"text": "Hello.", "voice": "custom-abc123", "format": "wav"}'

    @pytest.mark.parametrize("voice_id", [None, "", 5, {}])
    def test_preview_without_a_voice_id_is_not_requested(
        self, client: HttpProvider, hostile: HostileServer, voice_id: Any
    ) -> None:
        hostile.respond_with(make_response(200, READY | {"voice_id": voice_id}))
        with pytest.raises(ProviderRejected):
            client.generate_preview("vm_abc123xyz", "Hello.")
        assert len(hostile.received) == 1

    def test_preview_is_audio_and_is_charged(self, account: SandboxAccount, listener: CallbackServer) -> None:
        spec = self.make_spec(*MODE, listener)
        with account.open_provider() as provider:
            report = provider.submit_build(spec, self.make_journal(spec))
            self.wait_for_build(account, report.remote_id)
            assert provider.generate_preview(report.remote_id, "Hello.").content.startswith(b"RIFF")
        assert [line["charged"] for line in account.list_ledger() if line["operation"] == "sg_speech"] == [
            len("Hello.")
        ]

    # --- deletion ---

    @pytest.mark.parametrize(
        ("response", "expected"),
        [
            (make_response(204, b""), {}),
            (make_response(200, b""), {}),
            (make_response(200, {"deleted": True}), {"deleted": True}),
        ],
        ids=["204", "200", "with a body"],
    )
    def test_deletion_response_may_have_a_body_or_be_empty(
        self, client: HttpProvider, hostile: HostileServer, response: bytes, expected: dict[str, Any]
    ) -> None:
        hostile.respond_with(response)
        assert client.delete_voice("vm/1") == expected
        assert hostile.received[0].request_line == "DELETE /speechgen/v1/models/vm%2F1 HTTP/1.1"

    @pytest.mark.parametrize(
        ("status", "expected"), [(500, ProviderUnavailable), (409, ProviderRejected), (302, ProviderRejected)]
    )
    def test_failed_deletion_is_an_error(
        self, client: HttpProvider, hostile: HostileServer, status: int, expected: type[Exception]
    ) -> None:
        hostile.respond_with(make_response(status, b""))
        with pytest.raises(expected):
            client.delete_voice("vm_1")
