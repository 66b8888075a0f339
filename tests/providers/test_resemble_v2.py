"""Resemble AI, version 2: the contract, callbacks, paginated lists and the two ways of training."""

import io
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar
from uuid import uuid4

import pytest

from providers.errors import ResponseUnreadable
from providers.http import HttpProvider
from providers.resemble_v2.adapter import ResembleV2
from providers.resemble_v2.parsing import parse_callback
from providers.types import ClipUpload, Handover, RemoteStatus, Tier
from tests.providers.contract import SandboxAccount
from tests.providers.factories import KEY
from tests.providers.http_contract import SuccessFlagContract
from tests.providers.retrain_contract import RecordingsContract
from tests.support.hostile_server import HostileServer, ReceivedRequest, make_response
from tests.support.sandbox import CallbackServer, SandboxProcess


def read_labels(provider: HttpProvider, path: str) -> list[tuple[str, bool]]:
    """Emotion and Fill of each recording, as the provider lists them."""
    items = provider.call("list", "GET", path, params={"page": 1})["items"]
    return [(item["emotion"], item["fill"]) for item in items]


# The three samples of callbacks in the vendor's documentation, verbatim. DATASET_ISSUE is not valid JSON.
FINISHED = b"""
{
"ok": true,
"id": "<string>",
"status": "finished",
"recordings": [],
"issue": null
}
"""
DATASET_ISSUE = b"""
{
"ok": "<boolean>",
"id": "<string>",
"status": "dataset_issue",
"issue": "Detailed description of the dataset issue.",
"recordings": [
{
"uuid": "<string>",
"name": "<string>",
"transcript": "<string>",
"stoi_score": "<number>",
"pesq_score": "<number>"
"si_dr_score": "<number>",
"resemble_sample_score": "<number>",
"is_active": "<boolean>",
"is_outlier": "<boolean>",
"is_silent": "<boolean>"
},
...
]
}
"""
CONSENT_FAILED = b"""
{
"ok": "<boolean>",
"id": "<string>",
"status": "consent_validation_failed",
"issue": "Consent statement issue description.",
"recordings": []
}
"""


def fill_sample(sample: bytes) -> bytes:
    """The sample with values in place of its type placeholders."""
    values = {b'"<number>"': b"0.5", b'"<boolean>"': b"true", b'"<string>"': b'"abc"'}
    for placeholder, value in values.items():
        sample = sample.replace(placeholder, value)
    return sample


def make_callback(recording: dict[str, Any] | None = None, **fields: Any) -> bytes:
    payload = {"ok": False, "id": "abc", "status": "dataset_issue", "issue": "Noise.", "recordings": []} | fields
    if recording is not None:
        payload["recordings"] = [{"uuid": "r1", "name": "one"} | recording]
    return json.dumps(payload).encode()


class TestResembleV2(RecordingsContract, SuccessFlagContract):
    provider_class = ResembleV2
    creating_operations = ("create_voice", "build_voice")
    upload_operation = "create_recording"
    statuses: ClassVar[dict[str, RemoteStatus]] = {
        "initializing": RemoteStatus.AWAITING_DATA,
        "pending": RemoteStatus.AWAITING_DATA,
        "running": RemoteStatus.TRAINING,
        "finished": RemoteStatus.READY,
        "ready": RemoteStatus.READY,
        "dataset_issue": RemoteStatus.DATASET_ISSUE,
        "consent_validation_failed": RemoteStatus.CONSENT_REJECTED,
        "failed": RemoteStatus.FAILED,
    }
    responses_without_id: ClassVar[list[Any]] = [
        {"success": True, "item": None},
        {"success": True, "item": []},
        {"success": True, "item": {}},
        {"success": True, "item": {"name": "x"}},
        {"success": True, "item": {"uuid": None}},
        {"success": True, "item": {"uuid": ""}},
        {"success": True, "item": "x"},
        {"success": True},
        {},
    ]

    def list_creating_operations(self, tier: Tier, handover: Handover) -> tuple[str, ...]:
        create_starts_training = (tier, handover) == (Tier.PROFESSIONAL, Handover.DATASET_URL)
        return self.creating_operations[:1] if create_starts_training else self.creating_operations

    def list_sent_options(self, tier: Tier, handover: Handover) -> set[str]:
        """Fill is a field of recordings and of the build call. A voice that trains by itself has neither."""
        options = super().list_sent_options(tier, handover)
        return options if "build_voice" in self.list_creating_operations(tier, handover) else options - {"fill"}

    def test_changed_emotion_reaches_a_recording_that_was_sent_before(
        self, account: SandboxAccount, listener: CallbackServer
    ) -> None:
        spec = self.make_spec(Tier.RAPID, Handover.RECORDINGS, listener)
        first, *others = spec.clips
        spec = replace(spec, clips=(replace(first, emotion="happy"), *others))
        with account.open_provider() as provider:
            provider.submit_build(spec, journal := self.make_journal(spec))
            sent = [
                replace(clip, remote_id=journal.uploads[clip.key][0], sent_transcript=clip.transcript, emotion=emotion)
                for clip, emotion in zip(spec.clips, ("excited", "", "happy"), strict=True)
            ]
            again = replace(spec, remote_id=journal.remote_id, clips=tuple(sent), options={"fill": True})
            path = f"/voices/{journal.remote_id}/recordings"
            assert read_labels(provider, path) == [("happy", False), ("neutral", False), ("neutral", False)]
            provider.submit_build(again, self.make_journal(again))
            assert read_labels(provider, path) == [("excited", True), ("neutral", True), ("happy", True)]

    def build_voice_response(self, status: str) -> dict[str, Any]:
        item = {"uuid": "x", "name": "y", "status": status, "updated_at": "z"}
        return {"success": True, "item": item, "items": []}

    def build_error_response(self, text: str) -> dict[str, Any]:
        return {"success": False, "message": text}

    def send_unrecorded_recording(self, account: SandboxAccount, remote_id: str, clip: ClipUpload) -> None:
        with account.open_provider() as provider, clip.audio.open() as file:
            fields = {"name": clip.name, "text": clip.transcript}
            parts = {"file": (clip.audio.name, io.BytesIO(file.read()), "audio/wav")}
            provider.call("send", "POST", f"/voices/{remote_id}/recordings", data=fields, files=parts)

    def list_recordings(self, account: SandboxAccount, remote_id: str) -> dict[str, str]:
        with account.open_provider() as provider:
            response = provider.call("list", "GET", f"/voices/{remote_id}/recordings", params={"page_size": 100})
        return {item["name"]: item["text"] for item in response["items"]}

    def test_voice_is_found_on_any_page(
        self, account: SandboxAccount, listener: CallbackServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("providers.resemble_v2.account.PAGE_SIZE", 2)
        specs = [self.make_spec(Tier.RAPID, Handover.DATASET_URL, listener) for _ in range(5)]
        with account.open_provider() as provider:
            for spec in specs:
                provider.submit_build(spec, self.make_journal(spec))
            for spec in specs:
                found = provider.find_build(spec.reference)
                assert found is not None
                assert found.name == spec.reference
            assert len(list(provider.list_voices())) == 5

    @pytest.mark.parametrize("counter_style", ["num_pages", "page_count", "none", "nonsense"])
    def test_voice_is_found_on_pages_shorter_than_requested(
        self, client: HttpProvider, hostile: HostileServer, counter_style: str
    ) -> None:
        """If a voice on a later page were overlooked, VoiceHub would create it twice."""

        def script(request: ReceivedRequest) -> list[bytes]:
            page = int(request.request_line.partition("page=")[2].partition("&")[0])
            items = [{"uuid": f"v{page}", "name": f"n{page}"}] if page <= 3 else []
            special: dict[str, dict[str, Any]] = {"none": {}, "nonsense": {"num_pages": "three"}}
            counters = special.get(counter_style, {counter_style: 3})
            return [make_response(200, {"success": True, "items": items, **counters})]

        hostile.script = script
        found = client.find_build("n3")
        assert found is not None
        assert found.remote_id == "v3"
        assert client.find_build("n4") is None

    def test_listing_voices_ends_at_a_repeated_page(self, client: HttpProvider, hostile: HostileServer) -> None:
        hostile.respond_with(make_response(200, {"success": True, "items": [{"uuid": "v1", "name": "n1"}]}))
        assert [report.name for report in client.list_voices()] == ["n1"]
        assert len(hostile.received) == 2

    def test_voice_in_training_is_not_built_again(
        self, client: HttpProvider, hostile: HostileServer, listener: CallbackServer
    ) -> None:
        """The build call whose response was lost arrived late, after two look-ups."""
        hostile.respond_with(make_response(200, self.build_voice_response("running")))
        spec = self.make_spec(Tier.RAPID, Handover.RECORDINGS, listener)
        journal = self.make_journal(spec)
        journal.remote_id = "x"
        report = client.submit_build(journal.apply_to(spec), journal)
        assert report.status is RemoteStatus.TRAINING
        assert not [request for request in hostile.received if "/build" in request.request_line]

    def test_recording_deactivated_at_the_provider_is_activated_again(
        self, listener: CallbackServer, hostile: HostileServer
    ) -> None:
        """If the provider flags the recording as an outlier, it refuses this, and the build continues without it."""
        requests: list[tuple[str, str]] = []

        def script(request: ReceivedRequest) -> Iterator[bytes]:
            requests.append((request.request_line, request.body.decode("utf-8", "replace")))
            if request.request_line.startswith("PUT") and '"is_active": true' in requests[-1][1]:
                yield make_response(422, {"success": False, "message": "cannot be set: this recording is an outlier"})
            elif "/recordings?" in request.request_line:
                items = [{"uuid": f"r{n}", "name": f"line-{n}", "is_active": n != 1} for n in range(3)]
                yield make_response(200, {"success": True, "items": items, "num_pages": 1})
            else:
                yield make_response(200, {"success": True, "item": {"uuid": "x", "status": "finished"}})

        hostile.script = script
        spec = self.make_spec(Tier.RAPID, Handover.RECORDINGS, listener)
        clips = tuple(replace(c, remote_id=f"r{n}", sent_transcript=c.transcript) for n, c in enumerate(spec.clips))
        with self.provider_class(KEY, sandbox_url=hostile.address, sandboxed=True) as provider:
            provider.submit_build(replace(spec, clips=clips, remote_id="x"), self.make_journal(spec))
        changed = [line for line, body in requests if "is_active" in body]
        assert [line.split()[:2] for line in changed] == [["PUT", "/resemble/api/v2/voices/x/recordings/r1"]]
        assert any(line.startswith("POST") and line.split()[1].endswith("/build") for line, _body in requests)

    def test_preview_is_audio(self, account: SandboxAccount, sandbox: SandboxProcess, listener: CallbackServer) -> None:
        _first_spec, rebuild_spec = self.train_voice(account, Tier.RAPID, Handover.RECORDINGS, listener)
        with account.open_provider() as provider:
            assert provider.generate_preview(rebuild_spec.remote_id, "Hello.").content.startswith(b"RIFF")

    @pytest.mark.parametrize("content", ["!", "AAAA=A", 5, None])
    def test_preview_without_audio_is_unreadable(
        self, client: HttpProvider, hostile: HostileServer, content: Any
    ) -> None:
        hostile.respond_with(make_response(200, {"success": True, "audio_content": content}))
        with pytest.raises(ResponseUnreadable):
            client.generate_preview("x", "Hello.")

    def test_callback_matches_the_look_up(
        self, account: SandboxAccount, sandbox: SandboxProcess, listener: CallbackServer
    ) -> None:
        """This holds for valid callbacks of the sandbox, and for callbacks with the errors of the vendor's sample."""
        sandbox.call_control("POST", "settings", {"training_seconds": 0.0})
        for fault in ("duplicate:1", "broken"):
            sandbox.set_faults({"operation": "callback", "do": fault})
            spec = self.make_spec(Tier.RAPID, Handover.DATASET_URL, listener)
            with account.open_provider() as provider:
                remote_id = provider.submit_build(spec, self.make_journal(spec)).remote_id
                callback_report = provider.parse_callback(listener.callbacks.get(timeout=60)[1].encode())
                report = self.wait_for_build(provider, remote_id)
            assert (callback_report.remote_id, callback_report.status) == (report.remote_id, report.status)
            assert callback_report.status is RemoteStatus.DATASET_ISSUE
            assert callback_report.issue


class TestCallbacks:
    @pytest.mark.parametrize(
        ("sample", "status"),
        [
            (FINISHED, RemoteStatus.READY),
            (DATASET_ISSUE, RemoteStatus.DATASET_ISSUE),
            (CONSENT_FAILED, RemoteStatus.CONSENT_REJECTED),
        ],
    )
    def test_samples_of_the_vendor_are_parsed(self, sample: bytes, status: RemoteStatus) -> None:
        for body in (sample, fill_sample(sample), fill_sample(sample).replace(b"\n", b"\r\n")):
            assert parse_callback(body).status is status
        assert parse_callback(fill_sample(sample)).remote_id == "abc"

    def test_broken_sample_is_parsed_completely(self) -> None:
        report = parse_callback(fill_sample(DATASET_ISSUE))
        assert report.issue == "Detailed description of the dataset issue."
        (recording,) = report.recordings
        assert (recording.stoi, recording.pesq, recording.si_sdr, recording.sample_score) == (0.5, 0.5, 0.5, 0.5)
        assert (recording.is_active, recording.is_outlier, recording.is_silent) == (True, True, True)
        assert (recording.remote_id, recording.name, recording.transcript) == ("abc", "abc", "abc")

    def test_type_placeholders_in_a_callback_are_read_as_missing_values(self) -> None:
        (recording,) = parse_callback(DATASET_ISSUE).recordings
        assert (recording.stoi, recording.pesq, recording.si_sdr, recording.sample_score) == (None, None, None, None)
        assert (recording.is_active, recording.is_outlier, recording.is_silent) == (None, None, None)

    @pytest.mark.parametrize("ellipsis", [b",\n...\n", b"\n...\n", b", ...", b",...", b",\n...,\n"])
    def test_ellipsis_is_ignored_in_any_place(self, ellipsis: bytes) -> None:
        body = b'{"id": "abc",\n"status": "dataset_issue",\n"recordings": [{"name": "Wait..."}' + ellipsis + b"]\n}"
        assert [recording.name for recording in parse_callback(body).recordings] == ["Wait..."]

    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            ({"si_dr_score": 12.5}, 12.5),
            ({"si_sdr_score": 12.5}, 12.5),
            ({"si_dr_score": None, "si_sdr_score": "12.5"}, 12.5),
            ({"si_dr_score": "12.5"}, 12.5),
            ({"si_dr_score": -3}, -3.0),
            ({"si_dr_score": 0}, 0.0),
            ({"si_dr_score": None}, None),
            ({"si_dr_score": "good"}, None),
            ({"si_dr_score": True}, None),
            ({"si_dr_score": "NaN"}, None),
            ({"si_dr_score": [1]}, None),
            ({}, None),
        ],
    )
    def test_number_is_parsed_in_any_form(self, fields: dict[str, Any], expected: float | None) -> None:
        assert parse_callback(make_callback(fields)).recordings[0].si_sdr == expected

    @pytest.mark.parametrize(
        ("value", "expected"),
        [(True, True), (False, False), ("true", True), ("False", False), (1, True), ("0", False), (None, None),
         ("maybe", None), ([], None), ("<boolean>", None)],
    )  # fmt: skip
    def test_flag_is_parsed_in_any_form(self, value: Any, expected: bool | None) -> None:
        assert parse_callback(make_callback({"is_silent": value})).recordings[0].is_silent is expected

    @pytest.mark.parametrize("recordings", [None, {}, "none", [None, 5, "x", []]])
    def test_invalid_recordings_are_ignored(self, recordings: Any) -> None:
        assert parse_callback(make_callback(recordings=recordings)).recordings == ()
        bare = {"id": "abc", "status": "finished", "ok": True}
        assert parse_callback(json.dumps(bare).encode()).status is RemoteStatus.READY

    def test_unknown_callback_status_keeps_its_raw_text(self) -> None:
        report = parse_callback(make_callback(status="reticulating"))
        assert report.status is RemoteStatus.UNKNOWN
        assert report.raw_status == "reticulating"

    @pytest.mark.parametrize("issue", [None, ["a", "b"], {"a": ["b"]}, 5, [[[[[[]]]]]]])
    def test_issue_of_any_shape_becomes_text(self, issue: Any) -> None:
        assert isinstance(parse_callback(make_callback(issue=issue)).issue, str)

    @pytest.mark.parametrize(
        "body",
        [b"", b"null", b"[]", b"5", b"<html>", b"\xff\xfe", b"{", b'{"id": "abc"', b"[" * 60_000, b'{"a":' * 10_000,
         b"...", b'"' * 64_000],
    )  # fmt: skip
    def test_body_that_cannot_be_parsed_is_unreadable(self, body: bytes) -> None:
        with pytest.raises(ResponseUnreadable):
            parse_callback(body)

    def test_deeply_nested_issue_is_parsed_or_unreadable(self) -> None:
        for depth in (20, 200, 2000):
            body = b'{"id": "abc", "status": "finished", "issue": ' + b"[" * depth + b"]" * depth + b"}"
            try:
                assert parse_callback(body).remote_id == "abc"
            except ResponseUnreadable:
                assert depth == 2000

    def test_characters_that_a_database_rejects_are_removed(self) -> None:
        report = parse_callback(rb'{"id": "a\u0000b", "status": "\u0000", "issue": "\ud800 \u0000", "x": NaN}')
        for text in (report.remote_id, report.raw_status, report.issue, json.dumps(dict(report.raw), allow_nan=False)):
            assert "\0" not in text
            text.encode()

    @pytest.mark.parametrize("filler", [b" ", b"\n", b"\t\n", b"\r\n ", b",", b"..", b"]..", b'"\n'])
    def test_repair_of_a_broken_body_takes_linear_time(self, filler: bytes) -> None:
        """The body is invalid, and as large as a callback may be. A repair in quadratic time would take minutes."""
        body = b'{"id": "abc"' + filler * (64_000 // len(filler))
        began = time.process_time()
        with pytest.raises(ResponseUnreadable):
            parse_callback(body + b"x")
        assert time.process_time() - began < 2


def test_every_known_callback_status_is_mapped() -> None:
    for status in ("initializing", "pending", "running", "finished", "ready", "dataset_issue", "failed"):
        assert parse_callback(make_callback(status=status)).status is not RemoteStatus.UNKNOWN
        assert parse_callback(make_callback(status=status.upper())).status is not RemoteStatus.UNKNOWN
    assert parse_callback(make_callback(status=uuid4().hex)).status is RemoteStatus.UNKNOWN
