"""Speechgen: the contract, and what is its own: one multipart call, two ids, samples, lists of any shape."""

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
from tests.support.hostile import Asked, Hostile, answer
from tests.support.sandbox import Listener, until
from tests.support.wav import RATE, wav_bytes

WAY = (Tier.RAPID, Handover.ONE_FILE)
# The two answers to a clone and the model, as they stand on the vendor's pages, which disagree.
CLONED: dict[str, Any] = {
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
CLONED_BY_THE_OTHER_PAGE = {"model_id": "vm_abc123xyz", "status": "processing", "estimated_time": 60}
READY = {
    "model_id": "vm_abc123xyz",
    "name": "My Custom Voice",
    "status": "ready",
    "voice_id": "custom-abc123",
    "created_at": "2024-01-15T10:30:00Z",
    "usage_count": 0,
}
WAV = b"RIFF\x04\0\0\0WAVE"


def parts_of(asked: Asked) -> dict[str, Message]:
    """The parts of a multipart request by name; that there are no two of one name."""
    head = asked.head.partition("\r\n")[2].encode("latin-1")
    parts: list[Any] = message_from_bytes(head + asked.body).get_payload()  # type: ignore[assignment]  # of multipart
    names = [str(part.get_param("name", header="content-disposition")) for part in parts]
    assert len(set(names)) == len(names)
    return dict(zip(names, parts, strict=True))


def silent_parcel() -> UploadFile:
    return make_upload_file("voice.wav", "audio/wav", wav_bytes(np.zeros(12 * RATE)))


def models_of(client: HttpProvider, hostile: Hostile, said: Any) -> list[str]:
    hostile.says(answer(200, said))
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

    def build_error_response(self, words: str) -> dict[str, Any]:
        return {"error": {"code": "some_code", "message": words, "param": "audio"}}

    def ended(self, account: SandboxAccount, remote_id: str) -> BuildReport:
        account.sandbox.control("POST", "clock", {"forward": 601})

        def look() -> BuildReport | None:
            with account.open_provider() as provider:
                report = provider.fetch_build(remote_id)
            return report if report.status is not RemoteStatus.TRAINING else None

        return until(look)

    # --- the one call ---

    def test_form_has_the_fields_of_the_page_and_no_other(
        self, client: HttpProvider, hostile: Hostile, listener: Listener
    ) -> None:
        hostile.says(answer(201, CLONED))
        spec = self.make_spec(*WAY, listener)
        assert spec.pack_file
        client.submit_build(spec, self.make_journal(spec))
        (asked,) = hostile.asked
        assert asked.line == "POST /speechgen/v1/voice-clone HTTP/1.1"
        assert f"Authorization: Bearer {KEY}\r\n" in asked.head
        parts = parts_of(asked)
        said = {name: part.get_payload() for name, part in parts.items() if name != "audio"}
        assert said == {"name": spec.reference, "description": "Made by VoiceHub", "enhance_quality": "true"}
        audio = parts["audio"]
        assert audio.get_filename() == "voice.mp3"
        assert audio.get_content_type() == "audio/mpeg"
        assert b"".join(spec.pack_file().chunks()) in asked.body

    @pytest.mark.parametrize("said", [CLONED, CLONED_BY_THE_OTHER_PAGE], ids=["with samples", "with a time"])
    @pytest.mark.parametrize("status", [200, 201, 202])
    def test_both_answers_of_the_pages_are_read(
        self, client: HttpProvider, hostile: Hostile, listener: Listener, said: dict[str, Any], status: int
    ) -> None:
        hostile.says(answer(status, said))
        spec = self.make_spec(*WAY, listener)
        report = client.submit_build(spec, journal := self.make_journal(spec))
        assert (journal.remote_id, journal.pending_call) == ("vm_abc123xyz", "")
        assert (report.remote_id, report.status, report.raw) == ("vm_abc123xyz", RemoteStatus.TRAINING, said)

    def test_gate_is_asked_before_the_file_leaves(
        self, client: HttpProvider, hostile: Hostile, listener: Listener
    ) -> None:
        class Withdrawn(Exception):
            pass

        def make() -> UploadFile:
            made.append(parcel := silent_parcel())
            return parcel

        def refuse(_doing: str, _done: int, _total: int) -> None:
            if made:  # consent is withdrawn while the file is being made
                raise Withdrawn

        made: list[UploadFile] = []
        spec = replace(self.make_spec(*WAY, listener), pack_file=make)
        journal = self.make_journal(spec)
        journal.record_progress = refuse  # type: ignore[method-assign, assignment]  # of this one object
        with pytest.raises(Withdrawn):
            client.submit_build(spec, journal)
        assert not hostile.asked
        assert journal.pending_call == ""

    def test_model_that_is_known_is_not_made_again(
        self, client: HttpProvider, hostile: Hostile, listener: Listener
    ) -> None:
        hostile.says(answer(200, READY))
        spec = replace(self.make_spec(*WAY, listener), remote_id="vm_abc123xyz")
        assert client.submit_build(spec, self.make_journal(spec)).status is RemoteStatus.READY
        assert [asked.line for asked in hostile.asked] == ["GET /speechgen/v1/models/vm_abc123xyz HTTP/1.1"]

    def test_nothing_is_sent_without_the_file(self, client: HttpProvider, hostile: Hostile, listener: Listener) -> None:
        spec = replace(self.make_spec(*WAY, listener), pack_file=None)
        with pytest.raises(UnsupportedFeature):
            client.submit_build(spec, journal := self.make_journal(spec))
        assert not hostile.asked
        assert journal.pending_call == ""

    def test_error_in_an_answer_of_201_is_a_no(
        self, client: HttpProvider, hostile: Hostile, listener: Listener
    ) -> None:
        hostile.says(answer(201, self.build_error_response("No more models.")))
        spec = self.make_spec(*WAY, listener)
        with pytest.raises(ProviderRejected) as told:
            client.submit_build(spec, self.make_journal(spec))
        assert told.value.detail == "No more models. (audio)"

    def test_error_beside_a_model_is_no_refusal(
        self, client: HttpProvider, hostile: Hostile, listener: Listener
    ) -> None:
        """It is there, and may be billed."""
        hostile.says(answer(201, CLONED | self.build_error_response("The audio is noisy.")))
        spec = self.make_spec(*WAY, listener)
        assert client.submit_build(spec, self.make_journal(spec)).remote_id == "vm_abc123xyz"

    def test_sandbox_refuses_what_the_page_refuses(self, account: SandboxAccount, listener: Listener) -> None:
        spec = self.make_spec(*WAY, listener)
        assert spec.pack_file
        short = replace(spec.pack_file(), chunks=lambda: iter([b"no audio"]))
        with account.open_provider() as provider, pytest.raises(ProviderRejected) as told:
            provider.submit_build(replace(spec, pack_file=lambda: short), self.make_journal(spec))
        assert told.value.status == 400
        assert "cannot be read" in told.value.detail
        assert not account.count_creations()

    # --- what comes back ---

    def test_samples_come_with_the_creation_and_are_fetched_when_it_is_ready(
        self, account: SandboxAccount, listener: Listener
    ) -> None:
        spec = self.make_spec(*WAY, listener)
        with account.open_provider() as provider:
            made = provider.submit_build(spec, self.make_journal(spec))
            (sample,) = made.samples
            assert sample.title == "Default Sample"
            assert sample.text
            with pytest.raises(ProviderRejected):
                provider.download_sound(sample.url)
            assert self.ended(account, made.remote_id).status is RemoteStatus.READY
            sound = provider.download_sound(sample.url)
        assert sound.content_type == "audio/mpeg"
        assert len(sound.content) > 10_000

    def test_samples_without_an_address_are_none(self) -> None:
        good = {"title": 5, "text": None, "audio_url": "https://cdn.speechgen.com/a.mp3"}
        report = parse_report(CLONED | {"samples": [good, {"title": "x"}, {"audio_url": ""}, None, 5, "x"]})
        assert report.samples == (Sample("5", "", "https://cdn.speechgen.com/a.mp3"),)
        for none in (None, {}, "x", 5, {"audio_url": "x"}):
            assert parse_report(CLONED | {"samples": none}).samples == ()

    def test_sample_elsewhere_is_not_followed(
        self, client: HttpProvider, hostile: Hostile, other_server: Hostile, listener: Listener
    ) -> None:
        sample = {"title": "x", "text": "y", "audio_url": f"{other_server.address}/a.mp3"}
        hostile.says(answer(201, CLONED | {"samples": [sample]}))
        spec = self.make_spec(*WAY, listener)
        with pytest.raises(ResponseUnreadable):
            client.download_sound(client.submit_build(spec, self.make_journal(spec)).samples[0].url)
        assert not other_server.asked

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
    def test_failed_model_is_an_answer_and_says_why(
        self, client: HttpProvider, hostile: Hostile, fields: dict[str, Any], issue: str
    ) -> None:
        hostile.says(answer(200, READY | {"status": "failed"} | fields))
        report = client.fetch_build("vm_abc123xyz")
        assert (report.status, report.issue) == (RemoteStatus.FAILED, issue)
        assert parse_report(READY | fields).issue == "", "a model that did not fail has no issue"

    def test_silence_fails_with_words(self, account: SandboxAccount, listener: Listener) -> None:
        spec = self.make_spec(*WAY, listener)
        silence = replace(spec, pack_file=silent_parcel)
        with account.open_provider() as provider:
            made = provider.submit_build(silence, self.make_journal(spec))
        report = self.ended(account, made.remote_id)
        assert report.status is RemoteStatus.FAILED
        assert "no speech" in report.issue

    # --- the list ---

    @pytest.mark.parametrize(
        "wrapped",
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
    def test_list_of_models_in_any_shape(self, client: HttpProvider, hostile: Hostile, wrapped: Any) -> None:
        second = READY | {"model_id": "vm_2"}
        assert models_of(client, hostile, wrapped([READY, second])) == ["vm_abc123xyz", "vm_2"]
        assert models_of(client, hostile, wrapped([])) == []
        client.check_key()

    @pytest.mark.parametrize("said", [{}, {"models": None}, {"models": "none"}, {"data": {}}, {"count": 0}])
    def test_list_that_is_none_is_not_an_empty_one(self, client: HttpProvider, hostile: Hostile, said: Any) -> None:
        with pytest.raises(ResponseUnreadable):
            models_of(client, hostile, said)

    @pytest.mark.parametrize("body", [b"", b"<html>It works!</html>", b'"yes"', b"[1, 2"])
    def test_key_is_not_good_because_somebody_answers(
        self, client: HttpProvider, hostile: Hostile, body: bytes
    ) -> None:
        hostile.says(answer(200, body))
        with pytest.raises(ResponseUnreadable):
            client.check_key()

    # --- the two ids ---

    def test_voice_id_speaks_and_model_id_does_not(self, client: HttpProvider, hostile: Hostile) -> None:
        def script(asked: Asked) -> list[bytes]:
            return [answer(200, WAV if "text-to-speech" in asked.line else READY)]

        hostile.script = script
        sound = client.generate_preview("vm_abc123xyz", "Hello.")
        assert (sound.content, sound.content_type) == (WAV, "audio/wav")
        look, speak = hostile.asked
        assert look.line == "GET /speechgen/v1/models/vm_abc123xyz HTTP/1.1"
        assert speak.line == "POST /speechgen/v1/text-to-speech HTTP/1.1"
        assert speak.body == b'{"text": "Hello.", "voice": "custom-abc123", "format": "wav"}'

    @pytest.mark.parametrize("voice", [None, "", 5, {}])
    def test_voice_that_cannot_speak_yet_costs_nothing(
        self, client: HttpProvider, hostile: Hostile, voice: Any
    ) -> None:
        hostile.says(answer(200, READY | {"voice_id": voice}))
        with pytest.raises(ProviderRejected):
            client.generate_preview("vm_abc123xyz", "Hello.")
        assert len(hostile.asked) == 1

    def test_preview_is_the_voice(self, account: SandboxAccount, listener: Listener) -> None:
        spec = self.make_spec(*WAY, listener)
        with account.open_provider() as provider:
            made = provider.submit_build(spec, self.make_journal(spec))
            self.ended(account, made.remote_id)
            assert provider.generate_preview(made.remote_id, "Hello.").content.startswith(b"RIFF")
        assert [line["charged"] for line in account.list_ledger() if line["operation"] == "sg_speech"] == [
            len("Hello.")
        ]

    # --- the end ---

    @pytest.mark.parametrize(
        ("said", "wanted"),
        [(answer(204, b""), {}), (answer(200, b""), {}), (answer(200, {"deleted": True}), {"deleted": True})],
        ids=["204", "200", "with words"],
    )
    def test_deleted_with_and_without_words(
        self, client: HttpProvider, hostile: Hostile, said: bytes, wanted: dict[str, Any]
    ) -> None:
        hostile.says(said)
        assert client.delete_voice("vm/1") == wanted
        assert hostile.asked[0].line == "DELETE /speechgen/v1/models/vm%2F1 HTTP/1.1"

    @pytest.mark.parametrize(
        ("status", "wanted"), [(500, ProviderUnavailable), (409, ProviderRejected), (302, ProviderRejected)]
    )
    def test_not_deleted_is_not_deleted(
        self, client: HttpProvider, hostile: Hostile, status: int, wanted: type[Exception]
    ) -> None:
        hostile.says(answer(status, b""))
        with pytest.raises(wanted):
            client.delete_voice("vm_1")
