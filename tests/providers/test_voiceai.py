"""Voice.ai: the contract, and what is its own: private in every create, what it became, a list that comes bare."""

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
from tests.support.hostile import Asked, Hostile, answer
from tests.support.sandbox import Listener, until
from tests.support.wav import RATE, wav_bytes

WAY = (Tier.RAPID, Handover.ONE_FILE)
CREATED = {"voice_id": "x", "status": "PENDING"}
NO_IDS: list[Any] = [None, "", [], {"id": "x"}, True, 1.5]
VOICE: dict[str, Any] = {"voice_id": "x", "status": "AVAILABLE", "name": "y", "voice_visibility": "PRIVATE"}
FIELD = re.compile(rb'name="(\w+)"\r\n\r\n([^\r]*)\r\n')


def fields_of(asked: Asked) -> dict[str, str]:
    """The fields of a multipart form, without its file; that there are no two of one name."""
    found = FIELD.findall(asked.body)
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

    def build_error_response(self, words: str) -> dict[str, Any]:
        return {"error": "Refused", "detail": words, "code": "some_code"}

    def made(self, account: SandboxAccount, listener: Listener, **changes: Any) -> tuple[str, BuildReport]:
        """Reference and report of a new voice."""
        spec = replace(self.make_spec(*WAY, listener), **changes)
        with account.open_provider() as provider:
            return spec.reference, provider.submit_build(spec, self.make_journal(spec))

    def trained(self, account: SandboxAccount, listener: Listener, **changes: Any) -> BuildReport:
        """How the training of a new voice ended."""
        account.sandbox.control("POST", "settings", {"training_seconds": 0.0})
        _reference, made = self.made(account, listener, **changes)

        def look() -> BuildReport | None:
            with account.open_provider() as provider:
                report = provider.fetch_build(made.remote_id)
            return report if report.status is not RemoteStatus.TRAINING else None

        return until(look)

    # --- private ---

    def test_every_create_asks_for_private(self, client: HttpProvider, hostile: Hostile, listener: Listener) -> None:
        hostile.says(answer(200, VOICE))
        spec = self.make_spec(*WAY, listener)
        assert spec.pack_file
        client.submit_build(spec, self.make_journal(spec))
        create, look = hostile.asked
        assert create.line == "POST /voiceai/api/v1/tts/clone-voice HTTP/1.1"
        wanted = {"name": spec.reference, "voice_visibility": "PRIVATE", "language": "en"}
        assert fields_of(create) == wanted
        assert b'name="file"; filename="voice.wav"\r\nContent-Type: audio/wav\r\n\r\nRIFF' in create.body
        assert b"".join(spec.pack_file().chunks()) in create.body
        assert look.line == "GET /voiceai/api/v1/tts/voice/x HTTP/1.1"

    def test_what_it_became_is_in_the_report(self, account: SandboxAccount, listener: Listener) -> None:
        assert self.made(account, listener)[1].visibility is Visibility.PRIVATE
        account.sandbox.faults({"operation": "va_clone", "do": "public"})
        reference, report = self.made(account, listener)
        assert report.visibility is Visibility.PUBLIC
        with account.open_provider() as provider:
            assert provider.fetch_build(report.remote_id).visibility is Visibility.PUBLIC
            found = provider.find_build(reference)
            assert found is not None
            assert found.visibility is Visibility.PUBLIC

    @pytest.mark.parametrize(
        ("said", "wanted"),
        [("PRIVATE", Visibility.PRIVATE), ("private", Visibility.PRIVATE), ("Public", Visibility.PUBLIC),
         ("UNLISTED", None), (None, None), ("", None), (5, None), (["PRIVATE"], Visibility.PRIVATE)],
    )  # fmt: skip
    def test_visibility_as_it_comes(
        self, client: HttpProvider, hostile: Hostile, said: Any, wanted: Visibility | None
    ) -> None:
        hostile.says(answer(200, VOICE | {"voice_visibility": said}))
        assert client.fetch_build("x").visibility is wanted

    @pytest.mark.parametrize("status", [404, 500, 422])
    def test_question_that_fails_is_no_failed_build(
        self, client: HttpProvider, hostile: Hostile, listener: Listener, status: int
    ) -> None:
        def script(asked: Asked) -> list[bytes]:
            return [answer(200, CREATED) if asked.line.startswith("POST") else answer(status)]

        hostile.script = script
        spec = self.make_spec(*WAY, listener)
        report = client.submit_build(spec, journal := self.make_journal(spec))
        assert (report.remote_id, report.status, report.visibility) == ("x", RemoteStatus.TRAINING, None)
        assert (journal.remote_id, journal.pending_call) == ("x", "")

    def test_visibility_is_changed_by_its_own_call(self, client: HttpProvider, hostile: Hostile) -> None:
        for visibility in Visibility:
            hostile.says(answer(200, VOICE | {"voice_visibility": visibility.upper()}))
            client.set_visibility("x", visibility)
        assert [asked.line for asked in hostile.asked] == ["PATCH /voiceai/api/v1/tts/voice/x HTTP/1.1"] * 2
        assert [json.loads(asked.body)["voice_visibility"] for asked in hostile.asked] == ["PRIVATE", "PUBLIC"]

    def test_voice_that_stays_public_is_not_called_private(self, account: SandboxAccount, listener: Listener) -> None:
        account.sandbox.faults(
            {"operation": "va_clone", "do": "public"}, {"operation": "va_update_voice", "nth": 1, "do": "public"}
        )
        _reference, report = self.made(account, listener)
        with account.open_provider() as provider:
            with pytest.raises(ProviderRejected) as told:
                provider.set_visibility(report.remote_id, Visibility.PRIVATE)
            assert "still PUBLIC" in told.value.detail
            provider.set_visibility(report.remote_id, Visibility.PRIVATE)
            assert provider.fetch_build(report.remote_id).visibility is Visibility.PRIVATE

    def test_name_is_changed_alone(self, client: HttpProvider, hostile: Hostile) -> None:
        hostile.says(answer(200, VOICE))
        client.rename_voice("x", "vh-other")
        (asked,) = hostile.asked
        assert (asked.line, json.loads(asked.body)) == (
            "PATCH /voiceai/api/v1/tts/voice/x HTTP/1.1",
            {"name": "vh-other"},
        )

    # --- languages ---

    @pytest.mark.parametrize("language", [*LANGUAGES, "de-CH", "pt_BR", "EN-gb"])
    def test_language_is_its_primary_subtag(
        self, client: HttpProvider, hostile: Hostile, listener: Listener, language: str
    ) -> None:
        hostile.says(answer(200, VOICE))
        spec = replace(self.make_spec(*WAY, listener), language=language)
        client.submit_build(spec, self.make_journal(spec))
        assert fields_of(hostile.asked[0])["language"] == language[:2].lower()

    @pytest.mark.parametrize("language", ["ja-JP", "cat", "", "e", "-en"])
    def test_language_that_it_does_not_know_is_refused_without_a_call(
        self, client: HttpProvider, hostile: Hostile, listener: Listener, language: str
    ) -> None:
        spec = replace(self.make_spec(*WAY, listener), language=language)
        with pytest.raises(ProviderRejected) as told:
            client.submit_build(spec, journal := self.make_journal(spec))
        assert "sv, ca" in told.value.detail
        assert not hostile.asked
        assert (journal.pending_call, journal.line_count) == ("", 0)

    # --- one file, once ---

    def test_gate_is_asked_before_the_file_leaves(
        self, client: HttpProvider, hostile: Hostile, listener: Listener
    ) -> None:
        class Withdrawn(Exception):
            pass

        def refuse(_doing: str, _done: int, _total: int) -> None:
            raise Withdrawn

        spec = self.make_spec(*WAY, listener)
        journal = self.make_journal(spec)
        journal.record_progress = refuse  # type: ignore[method-assign, assignment]  # of this one object
        with pytest.raises(Withdrawn):
            client.submit_build(spec, journal)
        assert not hostile.asked
        assert journal.pending_call == ""

    def test_gate_is_asked_after_the_file_is_made(
        self, client: HttpProvider, hostile: Hostile, listener: Listener
    ) -> None:
        """Making it takes a while, in which a consent can be withdrawn."""
        spec = self.make_spec(*WAY, listener)
        made: list[int] = []
        journal = self.make_journal(spec)

        def parcel() -> Any:
            made.append(journal.line_count)
            assert spec.pack_file
            return spec.pack_file()

        hostile.says(answer(200, VOICE))
        client.submit_build(replace(spec, pack_file=parcel), journal)
        assert made == [1], "made once, with the gate asked before"
        assert journal.line_count > 4, "and asked again before the step is announced, and while the file is sent"

    def test_voice_that_is_known_is_not_made_again(
        self, client: HttpProvider, hostile: Hostile, listener: Listener
    ) -> None:
        hostile.says(answer(200, VOICE))
        spec = replace(self.make_spec(*WAY, listener), remote_id="x")
        assert client.submit_build(spec, self.make_journal(spec)).status is RemoteStatus.READY
        assert [asked.line for asked in hostile.asked] == ["GET /voiceai/api/v1/tts/voice/x HTTP/1.1"]

    def test_nothing_is_sent_without_the_file(self, client: HttpProvider, hostile: Hostile, listener: Listener) -> None:
        spec = replace(self.make_spec(*WAY, listener), pack_file=None)
        with pytest.raises(ProviderError):
            client.submit_build(spec, journal := self.make_journal(spec))
        assert not hostile.asked
        assert journal.pending_call == ""

    def test_refusals_of_the_sandbox_make_nothing(self, account: SandboxAccount, listener: Listener) -> None:
        large = make_upload_file("voice.wav", "audio/wav", b"RIFF" + bytes(7_500_000))
        odd = make_upload_file("voice.txt", "text/plain", b"no audio")
        refusals: list[tuple[type[ProviderError], str, Any]] = [
            (TooLarge, "7.5MB", large),
            (ProviderRejected, "file:", odd),
        ]
        for kind, words, parcel in refusals:
            with pytest.raises(kind) as told:
                self.made(account, listener, pack_file=lambda: parcel)  # noqa: B023
            assert words in told.value.detail
        with pytest.raises(PaymentRequired):
            self.made(replace(account, key=f"broke-{account.key}"), listener)
        assert not account.count_creations()

    # --- what comes back ---

    def test_silence_fails_with_words(self, account: SandboxAccount, listener: Listener) -> None:
        silence = make_upload_file("voice.wav", "audio/wav", wav_bytes(np.zeros(12 * RATE)))
        report = self.trained(account, listener, pack_file=lambda: silence)
        assert report.status is RemoteStatus.FAILED
        assert "no speech" in report.issue

    @pytest.mark.parametrize("field", ["error", "detail", "message"])
    def test_failed_voice_is_an_answer_and_says_why(self, client: HttpProvider, hostile: Hostile, field: str) -> None:
        hostile.says(answer(200, VOICE | {"status": "FAILED", field: "Two speakers."}))
        report = client.fetch_build("x")
        assert (report.status, report.issue) == (RemoteStatus.FAILED, "Two speakers.")
        hostile.says(answer(200, VOICE | {field: "Two speakers."}))
        assert client.fetch_build("x").issue == "", "a voice that did not fail has no issue"

    def test_error_in_an_answer_of_200_is_a_no(
        self, client: HttpProvider, hostile: Hostile, listener: Listener
    ) -> None:
        hostile.says(answer(200, {"error": "No more voices.", "detail": None, "code": "slots"}))
        spec = self.make_spec(*WAY, listener)
        with pytest.raises(ProviderRejected) as told:
            client.submit_build(spec, self.make_journal(spec))
        assert told.value.detail == "No more voices."

    @pytest.mark.parametrize(
        ("said", "words"),
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
    def test_both_forms_of_errors_have_words(
        self, client: HttpProvider, hostile: Hostile, said: dict[str, Any], words: str
    ) -> None:
        hostile.says(answer(422, said))
        assert self.catch_error(client, creates=True).detail == words

    # --- the list ---

    def test_list_is_a_bare_array(self, client: HttpProvider, hostile: Hostile) -> None:
        hostile.says(answer(200, [VOICE, VOICE | {"voice_id": "z", "name": "w"}]))
        assert [(report.remote_id, report.name) for report in client.list_voices()] == [("x", "y"), ("z", "w")]
        assert hostile.asked[0].line == "GET /voiceai/api/v1/tts/voices HTTP/1.1", "no parameters: there are none"
        hostile.says(answer(200, {"voices": [VOICE]}))
        for question in (client.list_voices, client.check_key):
            with pytest.raises(ResponseUnreadable):
                list(question() or ())

    @pytest.mark.parametrize(
        ("more", "kept"),
        [({}, True), ({"is_owner": True}, True), ({"is_owner": None}, True), ({"is_owner": "maybe"}, True),
         ({"is_owner": False}, False), ({"is_owner": "false"}, False), ({"status": "DELETED"}, False),
         ({"voice_visibility": "PUBLIC"}, True)],
    )  # fmt: skip
    def test_voices_that_are_plainly_not_ours_are_left_out(
        self, client: HttpProvider, hostile: Hostile, more: dict[str, Any], kept: bool
    ) -> None:
        hostile.says(answer(200, [VOICE | more]))
        assert len(list(client.list_voices())) == kept
        assert (client.find_build("y") is not None) == kept

    def test_voice_without_a_name_proves_no_absence(self, client: HttpProvider, hostile: Hostile) -> None:
        """It may be ours; where the name is only empty it is not, as ours was given one."""
        hostile.says(answer(200, [CREATED, VOICE]))
        found = client.find_build("y")
        assert found is not None
        assert found.remote_id == "x"
        with pytest.raises(ResponseUnreadable):
            client.find_build("z")
        hostile.says(answer(200, [VOICE | {"name": None}]))
        assert client.find_build("z") is None

    # --- the end ---

    def test_softly_deleted_is_gone(self, account: SandboxAccount, listener: Listener) -> None:
        reference, report = self.made(account, listener)
        with account.open_provider() as provider:
            assert provider.delete_voice(report.remote_id) == {"status": "deleted", "voice_id": report.remote_id}
            with pytest.raises(NotFound):
                provider.fetch_build(report.remote_id)
            assert provider.find_build(reference) is None
            assert list(provider.list_voices()) == []

    def test_deleted_voice_that_still_answers_is_gone(self, client: HttpProvider, hostile: Hostile) -> None:
        for word in ("DELETED", "deleted"):
            hostile.says(answer(200, VOICE | {"status": word}))
            with pytest.raises(NotFound):
                client.fetch_build("x")

    def test_deletion_that_is_only_said_is_seen(self, account: SandboxAccount, listener: Listener) -> None:
        _reference, report = self.made(account, listener)
        account.sandbox.faults({"operation": "va_delete_voice", "do": "ignore"})
        with account.open_provider() as provider:
            assert provider.delete_voice(report.remote_id)["status"] == "deleted"
            assert provider.fetch_build(report.remote_id).remote_id == report.remote_id

    @pytest.mark.parametrize(
        ("said", "wanted"),
        [(answer(204, b""), {}), (answer(200, b""), {}), (answer(404), {})],
        ids=["204", "200", "404"],
    )
    def test_deleted_without_words(self, client: HttpProvider, hostile: Hostile, said: bytes, wanted: Any) -> None:
        hostile.says(said)
        assert client.delete_voice("x/y") == wanted
        assert hostile.asked[0].line == "DELETE /voiceai/api/v1/tts/voice/x%2Fy HTTP/1.1"

    @pytest.mark.parametrize(("status", "wanted"), [(500, ProviderUnavailable), (409, ProviderRejected)])
    def test_not_deleted_is_not_deleted(
        self, client: HttpProvider, hostile: Hostile, status: int, wanted: type[Exception]
    ) -> None:
        hostile.says(answer(status, b""))
        with pytest.raises(wanted):
            client.delete_voice("x")

    def test_preview_is_the_voice(self, account: SandboxAccount, listener: Listener) -> None:
        _reference, unfinished = self.made(account, listener)
        report = self.trained(account, listener)
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
    def test_preview_without_audio(self, client: HttpProvider, hostile: Hostile, body: bytes) -> None:
        hostile.says(answer(200, body))
        with pytest.raises(ResponseUnreadable):
            client.generate_preview("x", "Hello.")
        said = {"text": "Hello.", "voice_id": "x", "audio_format": "wav"}
        assert json.loads(hostile.asked[0].body) == said
