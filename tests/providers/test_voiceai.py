"""Voice.ai: the contract, the visibility of voices, languages, and the voice list, which is a bare array."""

import json
import re
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest

from providers.errors import (
    NotFound,
    PaymentRequired,
    ProviderError,
    ProviderRejected,
    ProviderUnavailable,
    ResponseUnreadable,
    TooLarge,
)
from providers.http import HttpProvider
from providers.types import BuildReport, Handover, RemoteStatus, Tier, Visibility
from providers.voiceai.adapter import VoiceAI
from providers.voiceai.capabilities import LANGUAGES
from tests.providers.contract import SandboxAccount
from tests.providers.factories import make_upload_file
from tests.providers.http_contract import HttpProviderContract
from tests.support.hostile_server import HostileServer, ReceivedRequest, make_response
from tests.support.sandbox import CallbackServer, poll_until
from tests.support.wav import RATE, make_wav_bytes

MODE = (Tier.RAPID, Handover.ONE_FILE)
CREATED = {"voice_id": "x", "status": "PENDING"}
NO_IDS: list[Any] = [None, "", [], {"id": "x"}, True, 1.5]
VOICE: dict[str, Any] = {"voice_id": "x", "status": "AVAILABLE", "name": "y", "voice_visibility": "PRIVATE"}
FIELD = re.compile(rb'name="(\w+)"\r\n\r\n([^\r]*)\r\n')


def read_fields(request: ReceivedRequest) -> dict[str, str]:
    """The fields of a multipart form without its file; checks that no two fields share a name."""
    found = FIELD.findall(request.body)
    assert len(dict(found)) == len(found)
    return {name.decode(): value.decode() for name, value in found}


class TestVoiceAI(HttpProviderContract):
    provider_class = VoiceAI
    creating_operations = ("va_clone",)
    upload_operation = ""
    statuses: ClassVar[dict[str, RemoteStatus]] = {
        "PENDING": RemoteStatus.TRAINING,
        "PROCESSING": RemoteStatus.TRAINING,
        "AVAILABLE": RemoteStatus.READY,
        "FAILED": RemoteStatus.FAILED,
    }
    responses_without_id: ClassVar[list[Any]] = [
        {},
        {"status": "PENDING"},
        *({"voice_id": value, "status": "PENDING"} for value in NO_IDS),
        {"voice": {"voice_id": "x"}},
    ]
    odd_responses: ClassVar[list[Any]] = [
        VOICE | {"status": ["AVAILABLE"], "name": {"a": 1}, "voice_visibility": ["PRIVATE"]},
        VOICE | {"status": None, "name": None, "voice_visibility": 5},
        VOICE | {"status": "FAILED", "error": {"a": [[]]}, "detail": [{"loc": [], "msg": None}, {"loc": 5}, 7, None]},
        {"voice_id": 7},
        {"error": [1], "detail": {"a": None}, "code": []},
        {"detail": [{"loc": [[[]]], "msg": {"a": 1}}]},
        [],
        [None, 5, "x", [], {}, {"voice_id": {}}, {"voice_id": "x"}, VOICE | {"is_owner": [], "name": 5}],
    ]

    def build_voice_response(self, status: str) -> dict[str, Any]:
        return VOICE | {"status": status}

    def build_error_response(self, text: str) -> dict[str, Any]:
        return {"error": "Refused", "detail": text, "code": "some_code"}

    def create_voice(
        self, account: SandboxAccount, listener: CallbackServer, **changes: Any
    ) -> tuple[str, BuildReport]:
        spec = replace(self.make_spec(*MODE, listener), **changes)
        with account.open_provider() as provider:
            return spec.reference, provider.submit_build(spec, self.make_journal(spec))

    def train_voice(self, account: SandboxAccount, listener: CallbackServer, **changes: Any) -> BuildReport:
        """The report of a new voice whose training has ended."""
        account.sandbox.call_control("POST", "settings", {"training_seconds": 0.0})
        _reference, created = self.create_voice(account, listener, **changes)

        def fetch_ended() -> BuildReport | None:
            with account.open_provider() as provider:
                report = provider.fetch_build(created.remote_id)
            return report if report.status is not RemoteStatus.TRAINING else None

        return poll_until(fetch_ended)

    # --- visibility ---

    def test_every_create_requests_a_private_voice(
        self, client: HttpProvider, hostile: HostileServer, listener: CallbackServer
    ) -> None:
        hostile.respond_with(make_response(200, VOICE))
        spec = self.make_spec(*MODE, listener)
        assert spec.pack_file
        client.submit_build(spec, self.make_journal(spec))
        create, lookup = hostile.received
        assert create.request_line == "POST /voiceai/api/v1/tts/clone-voice HTTP/1.1"
        expected = {"name": spec.reference, "voice_visibility": "PRIVATE", "language": "en"}
        assert read_fields(create) == expected
        assert b'name="file"; filename="voice.wav"\r\nContent-Type: audio/wav\r\n\r\nRIFF' in create.body
        assert b"".join(spec.pack_file().chunks()) in create.body
        assert lookup.request_line == "GET /voiceai/api/v1/tts/voice/x HTTP/1.1"

    def test_report_has_the_visibility_that_the_provider_returns(
        self, account: SandboxAccount, listener: CallbackServer
    ) -> None:
        assert self.create_voice(account, listener)[1].visibility is Visibility.PRIVATE
        account.sandbox.set_faults({"operation": "va_clone", "do": "public"})
        reference, report = self.create_voice(account, listener)
        assert report.visibility is Visibility.PUBLIC
        with account.open_provider() as provider:
            assert provider.fetch_build(report.remote_id).visibility is Visibility.PUBLIC
            found = provider.find_build(reference)
            assert found is not None
            assert found.visibility is Visibility.PUBLIC

    @pytest.mark.parametrize(
        ("value", "expected"),
        [("PRIVATE", Visibility.PRIVATE), ("private", Visibility.PRIVATE), ("Public", Visibility.PUBLIC),
         ("UNLISTED", None), (None, None), ("", None), (5, None), (["PRIVATE"], Visibility.PRIVATE)],
    )  # fmt: skip
    def test_visibility_is_parsed_in_any_form(
        self, client: HttpProvider, hostile: HostileServer, value: Any, expected: Visibility | None
    ) -> None:
        hostile.respond_with(make_response(200, VOICE | {"voice_visibility": value}))
        assert client.fetch_build("x").visibility is expected

    @pytest.mark.parametrize("status", [404, 500, 422])
    def test_failed_look_up_after_the_create_does_not_fail_the_build(
        self, client: HttpProvider, hostile: HostileServer, listener: CallbackServer, status: int
    ) -> None:
        def script(request: ReceivedRequest) -> list[bytes]:
            return [make_response(200, CREATED) if request.request_line.startswith("POST") else make_response(status)]

        hostile.script = script
        spec = self.make_spec(*MODE, listener)
        report = client.submit_build(spec, journal := self.make_journal(spec))
        assert (report.remote_id, report.status, report.visibility) == ("x", RemoteStatus.TRAINING, None)
        assert (journal.remote_id, journal.pending_call) == ("x", "")

    def test_set_visibility_sends_the_visibility(self, client: HttpProvider, hostile: HostileServer) -> None:
        for visibility in Visibility:
            hostile.respond_with(make_response(200, VOICE | {"voice_visibility": visibility.upper()}))
            client.set_visibility("x", visibility)
        assert [request.request_line for request in hostile.received] == [
            "PATCH /voiceai/api/v1/tts/voice/x HTTP/1.1"
        ] * 2
        assert [json.loads(request.body)["voice_visibility"] for request in hostile.received] == ["PRIVATE", "PUBLIC"]

    def test_ignored_visibility_change_is_rejected(self, account: SandboxAccount, listener: CallbackServer) -> None:
        account.sandbox.set_faults(
            {"operation": "va_clone", "do": "public"}, {"operation": "va_update_voice", "nth": 1, "do": "public"}
        )
        _reference, report = self.create_voice(account, listener)
        with account.open_provider() as provider:
            with pytest.raises(ProviderRejected) as exc_info:
                provider.set_visibility(report.remote_id, Visibility.PRIVATE)
            assert "still PUBLIC" in exc_info.value.detail
            provider.set_visibility(report.remote_id, Visibility.PRIVATE)
            assert provider.fetch_build(report.remote_id).visibility is Visibility.PRIVATE

    def test_rename_sends_the_name_only(self, client: HttpProvider, hostile: HostileServer) -> None:
        hostile.respond_with(make_response(200, VOICE))
        client.rename_voice("x", "vh-other")
        (request,) = hostile.received
        assert (request.request_line, json.loads(request.body)) == (
            "PATCH /voiceai/api/v1/tts/voice/x HTTP/1.1",
            {"name": "vh-other"},
        )

    # --- languages ---

    @pytest.mark.parametrize("language", [*LANGUAGES, "de-CH", "pt_BR", "EN-gb"])
    def test_language_is_sent_as_its_primary_subtag(
        self, client: HttpProvider, hostile: HostileServer, listener: CallbackServer, language: str
    ) -> None:
        hostile.respond_with(make_response(200, VOICE))
        spec = replace(self.make_spec(*MODE, listener), language=language)
        client.submit_build(spec, self.make_journal(spec))
        assert read_fields(hostile.received[0])["language"] == language[:2].lower()

    @pytest.mark.parametrize("language", ["ja-JP", "cat", "", "e", "-en"])
    def test_unsupported_language_is_refused_without_a_request(
        self, client: HttpProvider, hostile: HostileServer, listener: CallbackServer, language: str
    ) -> None:
        spec = replace(self.make_spec(*MODE, listener), language=language)
        with pytest.raises(ProviderRejected) as exc_info:
            client.submit_build(spec, journal := self.make_journal(spec))
        assert "sv, ca" in exc_info.value.detail
        assert not hostile.received
        assert (journal.pending_call, journal.line_count) == ("", 0)

    # --- create ---

    def test_gate_is_checked_before_the_file_is_sent(
        self, client: HttpProvider, hostile: HostileServer, listener: CallbackServer
    ) -> None:
        class ConsentWithdrawn(Exception):
            pass

        def refuse(_doing: str, _done: int, _total: int) -> None:
            raise ConsentWithdrawn

        spec = self.make_spec(*MODE, listener)
        journal = self.make_journal(spec)
        journal.record_progress = refuse  # type: ignore[method-assign, assignment]  # replaced on this object only
        with pytest.raises(ConsentWithdrawn):
            client.submit_build(spec, journal)
        assert not hostile.received
        assert journal.pending_call == ""

    def test_gate_is_checked_after_the_file_is_made(
        self, client: HttpProvider, hostile: HostileServer, listener: CallbackServer
    ) -> None:
        """Making the file takes a while, in which a consent can be withdrawn."""
        spec = self.make_spec(*MODE, listener)
        line_counts: list[int] = []
        journal = self.make_journal(spec)

        def make_file() -> Any:
            line_counts.append(journal.line_count)
            assert spec.pack_file
            return spec.pack_file()

        hostile.respond_with(make_response(200, VOICE))
        client.submit_build(replace(spec, pack_file=make_file), journal)
        assert line_counts == [1], "the file is made once, after the first gate check"
        assert journal.line_count > 4, (
            "the gate is checked again before the step is announced, and while the file is sent"
        )

    def test_known_voice_is_not_created_again(
        self, client: HttpProvider, hostile: HostileServer, listener: CallbackServer
    ) -> None:
        hostile.respond_with(make_response(200, VOICE))
        spec = replace(self.make_spec(*MODE, listener), remote_id="x")
        assert client.submit_build(spec, self.make_journal(spec)).status is RemoteStatus.READY
        assert [request.request_line for request in hostile.received] == ["GET /voiceai/api/v1/tts/voice/x HTTP/1.1"]

    def test_build_without_a_file_sends_nothing(
        self, client: HttpProvider, hostile: HostileServer, listener: CallbackServer
    ) -> None:
        spec = replace(self.make_spec(*MODE, listener), pack_file=None)
        with pytest.raises(ProviderError):
            client.submit_build(spec, journal := self.make_journal(spec))
        assert not hostile.received
        assert journal.pending_call == ""

    def test_refused_create_creates_nothing(self, account: SandboxAccount, listener: CallbackServer) -> None:
        large_file = make_upload_file("voice.wav", "audio/wav", b"RIFF" + bytes(7_500_000))
        text_file = make_upload_file("voice.txt", "text/plain", b"no audio")
        refusals: list[tuple[type[ProviderError], str, Any]] = [
            (TooLarge, "7.5MB", large_file),
            (ProviderRejected, "file:", text_file),
        ]
        for error, text, file in refusals:
            with pytest.raises(error) as exc_info:
                self.create_voice(account, listener, pack_file=lambda: file)  # noqa: B023
            assert text in exc_info.value.detail
        with pytest.raises(PaymentRequired):
            self.create_voice(replace(account, key=f"broke-{account.key}"), listener)
        assert not account.count_creations()

    # --- responses ---

    def test_voice_of_silent_audio_fails_with_a_reason(self, account: SandboxAccount, listener: CallbackServer) -> None:
        silent_file = make_upload_file("voice.wav", "audio/wav", make_wav_bytes(np.zeros(12 * RATE)))
        report = self.train_voice(account, listener, pack_file=lambda: silent_file)
        assert report.status is RemoteStatus.FAILED
        assert "no speech" in report.issue

    @pytest.mark.parametrize("field", ["error", "detail", "message"])
    def test_failed_voice_is_reported_with_its_reason(
        self, client: HttpProvider, hostile: HostileServer, field: str
    ) -> None:
        hostile.respond_with(make_response(200, VOICE | {"status": "FAILED", field: "Two speakers."}))
        report = client.fetch_build("x")
        assert (report.status, report.issue) == (RemoteStatus.FAILED, "Two speakers.")
        hostile.respond_with(make_response(200, VOICE | {field: "Two speakers."}))
        assert client.fetch_build("x").issue == "", "a voice that did not fail has no issue"

    def test_error_in_a_200_response_is_a_rejection(
        self, client: HttpProvider, hostile: HostileServer, listener: CallbackServer
    ) -> None:
        hostile.respond_with(make_response(200, {"error": "No more voices.", "detail": None, "code": "slots"}))
        spec = self.make_spec(*MODE, listener)
        with pytest.raises(ProviderRejected) as exc_info:
            client.submit_build(spec, self.make_journal(spec))
        assert exc_info.value.detail == "No more voices."

    @pytest.mark.parametrize(
        ("response", "text"),
        [
            ({"error": "Bad request"}, "Bad request"),
            ({"error": "Bad request", "detail": "Too short.", "code": "c"}, "Bad request: Too short."),
            ({"error": "Same.", "detail": "Same."}, "Same."),
            ({"detail": "Not authenticated"}, "Not authenticated"),
            (
                {"detail": [{"loc": ["body", "file"], "msg": "Field required", "type": "missing"}]},
                "file: Field required",
            ),
            ({"detail": [{"loc": ["body", "a"], "msg": "A."}, {"msg": "B."}, "C."]}, "a: A.; B.; C."),
            ({"detail": [{"loc": [], "msg": "A."}, {"loc": "body", "msg": None}]}, "A.; body"),
            ({"code": "c"}, ""),
        ],
    )
    def test_error_text_is_read_from_both_error_forms(
        self, client: HttpProvider, hostile: HostileServer, response: dict[str, Any], text: str
    ) -> None:
        hostile.respond_with(make_response(422, response))
        assert self.catch_error(client, creates=True).detail == text

    # --- list ---

    def test_voice_list_must_be_a_bare_array(self, client: HttpProvider, hostile: HostileServer) -> None:
        hostile.respond_with(make_response(200, [VOICE, VOICE | {"voice_id": "z", "name": "w"}]))
        assert [(report.remote_id, report.name) for report in client.list_voices()] == [("x", "y"), ("z", "w")]
        assert hostile.received[0].request_line == "GET /voiceai/api/v1/tts/voices HTTP/1.1", (
            "the vendor documents no parameters"
        )
        hostile.respond_with(make_response(200, {"voices": [VOICE]}))
        for call in (client.list_voices, client.check_key):
            with pytest.raises(ResponseUnreadable):
                list(call() or ())

    @pytest.mark.parametrize(
        ("fields", "is_listed"),
        [({}, True), ({"is_owner": True}, True), ({"is_owner": None}, True), ({"is_owner": "maybe"}, True),
         ({"is_owner": False}, False), ({"is_owner": "false"}, False), ({"status": "DELETED"}, False),
         ({"voice_visibility": "PUBLIC"}, True)],
    )  # fmt: skip
    def test_deleted_voices_and_those_of_other_owners_are_not_listed(
        self, client: HttpProvider, hostile: HostileServer, fields: dict[str, Any], is_listed: bool
    ) -> None:
        hostile.respond_with(make_response(200, [VOICE | fields]))
        assert len(list(client.list_voices())) == is_listed
        assert (client.find_build("y") is not None) == is_listed

    def test_voice_is_not_reported_absent_if_a_listed_voice_has_no_name(
        self, client: HttpProvider, hostile: HostileServer
    ) -> None:
        """A voice without a name field may be the wanted voice. A voice with an empty name is not."""
        hostile.respond_with(make_response(200, [CREATED, VOICE]))
        found = client.find_build("y")
        assert found is not None
        assert found.remote_id == "x"
        with pytest.raises(ResponseUnreadable):
            client.find_build("z")
        hostile.respond_with(make_response(200, [VOICE | {"name": None}]))
        assert client.find_build("z") is None

    # --- deletion ---

    def test_soft_deleted_voice_is_not_found_or_listed(self, account: SandboxAccount, listener: CallbackServer) -> None:
        reference, report = self.create_voice(account, listener)
        with account.open_provider() as provider:
            assert provider.delete_voice(report.remote_id) == {"status": "deleted", "voice_id": report.remote_id}
            with pytest.raises(NotFound):
                provider.fetch_build(report.remote_id)
            assert provider.find_build(reference) is None
            assert list(provider.list_voices()) == []

    def test_voice_with_status_deleted_is_not_found(self, client: HttpProvider, hostile: HostileServer) -> None:
        for status in ("DELETED", "deleted"):
            hostile.respond_with(make_response(200, VOICE | {"status": status}))
            with pytest.raises(NotFound):
                client.fetch_build("x")

    def test_voice_of_an_ignored_deletion_can_still_be_fetched(
        self, account: SandboxAccount, listener: CallbackServer
    ) -> None:
        _reference, report = self.create_voice(account, listener)
        account.sandbox.set_faults({"operation": "va_delete_voice", "do": "ignore"})
        with account.open_provider() as provider:
            assert provider.delete_voice(report.remote_id)["status"] == "deleted"
            assert provider.fetch_build(report.remote_id).remote_id == report.remote_id

    @pytest.mark.parametrize(
        ("response", "expected"),
        [(make_response(204, b""), {}), (make_response(200, b""), {}), (make_response(404), {})],
        ids=["204", "200", "404"],
    )
    def test_deletion_with_an_empty_or_404_response_succeeds(
        self, client: HttpProvider, hostile: HostileServer, response: bytes, expected: Any
    ) -> None:
        hostile.respond_with(response)
        assert client.delete_voice("x/y") == expected
        assert hostile.received[0].request_line == "DELETE /voiceai/api/v1/tts/voice/x%2Fy HTTP/1.1"

    @pytest.mark.parametrize(("status", "expected"), [(500, ProviderUnavailable), (409, ProviderRejected)])
    def test_failed_deletion_is_an_error(
        self, client: HttpProvider, hostile: HostileServer, status: int, expected: type[Exception]
    ) -> None:
        hostile.respond_with(make_response(status, b""))
        with pytest.raises(expected):
            client.delete_voice("x")

    def test_preview_is_audio_and_is_charged(self, account: SandboxAccount, listener: CallbackServer) -> None:
        _reference, unfinished = self.create_voice(account, listener)
        report = self.train_voice(account, listener)
        assert report.status is RemoteStatus.READY
        with account.open_provider() as provider:
            with pytest.raises(ProviderRejected):
                provider.generate_preview(unfinished.remote_id, "Hello.")
            sound = provider.generate_preview(report.remote_id, "Hello.")
        assert sound.content_type == "audio/wav"
        assert len(sound.content) > 10_000
        assert [line["charged"] for line in account.list_ledger() if line["operation"] == "va_speech"] == [
            len("Hello.")
        ]

    @pytest.mark.parametrize("body", [b"", b"{}", b'{"url": "https://voice.ai/a.mp3"}', b"<html>"])
    def test_preview_without_audio_is_unreadable(
        self, client: HttpProvider, hostile: HostileServer, body: bytes
    ) -> None:
        hostile.respond_with(make_response(200, body))
        with pytest.raises(ResponseUnreadable):
            client.generate_preview("x", "Hello.")
        expected = {"text": "Hello.", "voice_id": "x", "audio_format": "wav"}
        assert json.loads(hostile.received[0].body) == expected
