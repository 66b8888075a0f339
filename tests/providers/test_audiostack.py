"""AudioStack: the contract, and what is its own: files and their addresses, the alias, the consent, discarded files."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from providers.audiostack.adapter import BLOCK_BYTES, MAX_FILE_POLLS, AudioStack
from providers.audiostack.parsing import NO_REASON, parse_create_response, parse_report
from providers.errors import Conflict, OutcomeUnknown, ProviderRejected, ProviderUnavailable, ResponseUnreadable
from providers.types import BuildReport, BuildSpec, ClipUpload, Handover, RemoteStatus, Tier
from tests.providers.contract import Scene, hint
from tests.providers.http_contract import HttpProviderContract
from tests.providers.journal import Killed, Notes
from tests.providers.making import KEY, blob, sound, statement
from tests.support.hostile import Asked, Hostile, answer
from tests.support.relay import Relay
from tests.support.sandbox import Listener, until
from tests.support.wav import noise, sample_wav, wav_bytes

Way = tuple[Tier, Handover]
INSTANT: Way = (Tier.RAPID, Handover.FILE_IDS)
STANDARD: Way = (Tier.PROFESSIONAL, Handover.FILE_IDS)
ENVELOPE = {"statusCode": 200, "message": "", "warnings": [], "metadata": {"requestId": "r", "creditsUsed": 0}}
WAV = b"RIFF\x04\0\0\0WAVE"


def bodies(asked: list[Asked], line: str) -> list[dict[str, Any]]:
    """What was sent with the calls of this line."""
    return [json.loads(one.body) for one in asked if one.line.startswith(line)]


class TestAudioStack(HttpProviderContract):
    provider_class = AudioStack
    creating = ("clone_voice",)
    sending = "upload_file"
    success = 202
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
    # The alias is ours; what says nothing of a voice is no yes all the same.
    id_less_answers: ClassVar[list[Any]] = [{}, {"data": None}, {"data": {}}, {"data": []}, {"success": True}]
    odd: ClassVar[list[Any]] = [
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
    def _at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(AudioStack, "poll_seconds", 0.0)

    def voice_answer(self, status: str) -> dict[str, Any]:
        return ENVELOPE | {"data": {"alias": "x", "status": status, "discardedFiles": []}}

    def error_answer(self, words: str) -> dict[str, Any]:
        return {"statusCode": 400, "message": "It is not possible.", "errors": [words]}

    def _sent(self, scene: Scene) -> int:
        """Recordings only: the consent is a file like them, and told by its length."""
        mine = [seen for seen in scene.asked() if seen["operation"] == self.sending and seen["status"] == 200]
        return sum(seen["headers"]["Content-Length"] != str(len(statement())) for seen in mine)

    def made(self, scene: Scene, spec: BuildSpec, notes: Notes | None = None) -> BuildReport:
        """A voice that trains for no time, and what came of it."""
        scene.sandbox.control("POST", "settings", {"training_seconds": 0.0})
        remote_id = self.carried(scene, spec, notes or self.notes(spec)).remote_id

        def look() -> BuildReport | None:
            with scene.opened() as provider:
                report = provider.fetch_build(remote_id)
            return report if report.status is not RemoteStatus.TRAINING else None

        # Other tests' voices may have come due, and the sandbox listens to one after the other.
        return until(look, patience=300.0)

    def dies(self, scene: Scene, spec: BuildSpec, line: int, *, keeps_last: bool) -> Notes:
        """A submit whose worker is killed at this line of the journal; what it left."""
        notes = self.notes(spec, dies_at=line, keeps_last=keeps_last)
        with scene.opened() as provider, pytest.raises(Killed):
            provider.submit_build(spec, notes)
        notes.dies_at = 0
        return notes

    # --- what is asked for ---

    @pytest.mark.parametrize(("way", "engine"), [(INSTANT, "voice_engine_3"), (STANDARD, "voice_engine_2")])
    def test_voice_is_asked_for_as_on_the_page(
        self, scene: Scene, relay: Relay, listener: Listener, way: Way, engine: str
    ) -> None:
        spec = self.spec(*way, listener)
        with replace(scene, address=relay.address).opened() as provider:
            provider.submit_build(spec, notes := self.notes(spec))
        (body,) = bodies(relay.asked, "POST /audiostack/speech/voice-cloning ")
        assert set(body) == {"fileIds", "alias", "engine"}
        assert (body["alias"], body["engine"]) == (spec.reference, engine)
        recordings = [notes.sent[clip.key][0] for clip in spec.clips]
        assert body["fileIds"][:3] == recordings
        assert len(body["fileIds"]) == (4 if way == STANDARD else 3)

    def test_consent_is_uploaded_and_goes_last(self, scene: Scene, relay: Relay, listener: Listener) -> None:
        spec = self.spec(*STANDARD, listener)
        report = self.made(replace(scene, address=relay.address), spec)
        (body,) = bodies(relay.asked, "POST /audiostack/speech/voice-cloning ")
        sent = {asked.line.split("/")[3]: asked.body for asked in relay.asked if asked.line.startswith("PUT ")}
        assert [sent[file_id] for file_id in body["fileIds"]] == [sound(0), sound(1), sound(2), statement()]
        assert report.status is RemoteStatus.READY

    def test_standard_engine_without_a_consent_is_refused_before_any_call(
        self, scene: Scene, listener: Listener
    ) -> None:
        spec = replace(self.spec(*STANDARD, listener), consent=None)
        with scene.opened() as provider, pytest.raises(ProviderRejected):
            provider.submit_build(spec, self.notes(spec))
        assert not scene.asked()

    def test_consent_in_which_nobody_speaks_fails_with_the_vendors_words(
        self, scene: Scene, listener: Listener
    ) -> None:
        spec = replace(self.spec(*STANDARD, listener), consent=blob("consent.wav", sample_wav("rms-silent")))
        report = self.made(scene, spec)
        assert report.status is RemoteStatus.FAILED
        assert "agrees to have their voice cloned" in report.issue

    @pytest.mark.parametrize("way", [INSTANT, STANDARD])
    def test_nothing_that_leaves_the_house_names_a_person(
        self, scene: Scene, relay: Relay, listener: Listener, way: Way
    ) -> None:
        spec = self.spec(*way, listener)
        named = [
            replace(c, name="Jane Doe", transcript="I am Jane Doe.", audio=replace(c.audio, name="Jane Doe.wav"))
            for c in spec.clips
        ]
        spec = replace(spec, clips=tuple(named), consent=blob("consent of Jane Doe.wav", statement()))
        with replace(scene, address=relay.address).opened() as provider:
            provider.submit_build(spec, self.notes(spec))
        assert not [asked for asked in relay.asked if "jane" in asked.head.lower() or b"jane" in asked.body.lower()]
        names = [body["file_name"] for body in bodies(relay.asked, "POST /audiostack/files ")]
        wanted = [f"{spec.reference}-{key}.wav" for key in ("key-0", "key-1", "key-2", "consent")]
        assert names == wanted[: len(names)]

    # --- files, and workers that are killed ---

    @pytest.mark.parametrize(
        ("line", "keeps_last"), [(2, True), (3, False)], ids=["before its bytes", "after its bytes"]
    )
    def test_announced_file_is_used_by_who_takes_over(
        self, scene: Scene, listener: Listener, line: int, keeps_last: bool
    ) -> None:
        """Killed between POST /files and PUT, or between PUT and writing down that it is there."""
        spec = self.spec(*INSTANT, listener)
        notes = self.dies(scene, spec, line, keeps_last=keeps_last)
        assert (scene.done("create_file"), notes.sent) == (1, {})
        self.carried(scene, spec, notes)
        assert (scene.done("create_file"), self._sent(scene)) == (3, 3)
        assert json.loads(notes.kept)["key"] == "key-2"

    def test_consent_that_is_there_is_not_sent_again(self, scene: Scene, listener: Listener) -> None:
        spec = self.spec(*STANDARD, listener)
        lines = self.carried(scene, spec, self.notes(spec)).lines
        again = self.spec(*STANDARD, listener)
        before = scene.done("upload_file")
        notes = self.dies(scene, again, lines - 2, keeps_last=False)  # just before "Creating the voice"
        assert len(notes.sent) == 3
        self.carried(scene, again, notes)
        assert scene.done("upload_file") - before == 4

    def test_address_that_is_not_good_any_more_is_replaced(self, scene: Scene, listener: Listener) -> None:
        spec = self.spec(*INSTANT, listener)
        notes = self.dies(scene, spec, 2, keeps_last=True)
        begun = json.loads(notes.kept)
        notes.kept = json.dumps(begun | {"url": begun["url"] + "expired"})
        self.carried(scene, spec, notes)
        assert notes.sent["key-0"][0] != begun["file_id"]
        assert scene.billed()[spec.reference] == self.expected(*INSTANT)

    def test_file_that_was_deleted_there_is_replaced(self, scene: Scene, listener: Listener) -> None:
        spec = self.spec(*INSTANT, listener)
        notes = self.dies(scene, spec, 3, keeps_last=False)
        with scene.opened() as provider:
            path = f"/files/{json.loads(notes.kept)['file_id']}"
            provider.call("delete", "DELETE", path, may_be_empty=True)
        self.carried(scene, spec, notes)
        assert scene.done("create_file") == 4

    def test_what_another_build_kept_is_not_used(self, scene: Scene, listener: Listener) -> None:
        """Such as the consent that was in force then."""
        spec = self.spec(*STANDARD, listener)
        old = self.carried(scene, spec, self.notes(spec)).kept
        assert json.loads(old)["key"] == "consent"
        again = replace(self.spec(*STANDARD, listener), resume_state=old)
        before = scene.done("create_file")
        self.carried(scene, again, self.notes(again))
        assert scene.done("create_file") - before == 4

    @pytest.mark.parametrize("kept", ["[]", "5", "{}", '{"key": "key-0"}', "no JSON"])
    def test_what_cannot_be_read_is_not_used(self, scene: Scene, listener: Listener, kept: str) -> None:
        spec = replace(self.spec(*INSTANT, listener, clips=1), resume_state=kept)
        self.carried(scene, spec, self.notes(spec))
        assert scene.done("create_file") == 1

    def test_recordings_that_are_there_are_not_sent_again(self, scene: Scene, listener: Listener) -> None:
        spec = self.spec(*INSTANT, listener)
        known = self.carried(scene, spec, self.notes(spec)).known(spec)
        again = replace(known, reference=f"{spec.reference}-again", remote_id="")
        with scene.opened() as provider:
            provider.submit_build(again, self.notes(again))
        assert (scene.done("create_file"), self._sent(scene)) == (3, 3)

    def scripted(self, hostile: Hostile, statuses: Iterator[str]) -> None:
        """A provider that says these words of a file, one after the other, and takes everything."""
        file = {"fileId": "f/1", "uploadUrl": f"{hostile.address}/put", "mimeType": "audio/wav"}

        def script(asked: Asked) -> Iterator[bytes]:
            if asked.line.startswith("GET /audiostack/files/f%2F1 "):
                yield answer(200, file | {"status": next(statuses)})
            elif asked.line.startswith("POST /audiostack/speech"):
                yield answer(202, self.voice_answer("processing") | {"data": {"status": "processing"}})
            else:
                yield answer(200, file)

        hostile.script = script

    def test_file_is_asked_for_until_it_is_uploaded(
        self, client: AudioStack, hostile: Hostile, listener: Listener
    ) -> None:
        spec = self.spec(*INSTANT, listener, clips=1)
        self.scripted(hostile, iter(["pending", "", "PROCESSING", "Uploaded"]))
        client.submit_build(spec, self.notes(spec))
        lines = [asked.line.split()[0] for asked in hostile.asked]
        assert lines == ["POST", "PUT", "GET", "GET", "GET", "GET", "POST"]

    def test_file_that_takes_long_is_left_for_later(
        self, client: AudioStack, hostile: Hostile, listener: Listener
    ) -> None:
        spec = self.spec(*INSTANT, listener, clips=1)
        self.scripted(hostile, iter(["pending"] * MAX_FILE_POLLS + ["uploaded"]))
        notes = self.notes(spec)
        with pytest.raises(ProviderUnavailable):
            client.submit_build(spec, notes)
        assert notes.step == ""
        client.submit_build(notes.known(spec), notes)
        assert [asked.line.split()[0] for asked in hostile.asked].count("PUT") == 1

    @pytest.mark.parametrize("word", ["failed", "ERROR"])
    def test_file_that_is_not_taken_ends_it(
        self, client: AudioStack, hostile: Hostile, listener: Listener, word: str
    ) -> None:
        spec = self.spec(*INSTANT, listener, clips=1)
        self.scripted(hostile, iter([word]))
        with pytest.raises(ProviderRejected):
            client.submit_build(spec, notes := self.notes(spec))
        assert notes.step == ""

    def test_gate_is_asked_before_each_file_and_while_a_long_one_is_sent(
        self, scene: Scene, listener: Listener
    ) -> None:
        class Withdrawn(Exception):
            pass

        for calls, sent in ((1, 0), (2, 1), (3, 1)):
            spec = self.spec(*INSTANT, listener)
            long = ClipUpload("key-1", "long", "", blob("long.wav", bytes(2 * BLOCK_BYTES)))
            spec = replace(spec, clips=(spec.clips[0], long, spec.clips[2]))
            left = iter(range(calls - 1))

            def refuse(_doing: str, _done: int, _total: int) -> None:
                if next(left, None) is None:  # noqa: B023
                    raise Withdrawn

            notes, before = self.notes(spec), self._sent(scene)
            notes.record_progress = refuse  # type: ignore[method-assign, assignment]  # of this one object
            with scene.opened() as provider, pytest.raises(Withdrawn):
                provider.submit_build(spec, notes)
            assert self._sent(scene) - before == sent

    # --- the alias ---

    def test_alias_that_is_taken_after_a_lost_answer_is_ours(self, scene: Scene, listener: Listener) -> None:
        """Also for who asks again without having looked."""
        spec = self.spec(*INSTANT, listener)
        notes = self.notes(spec)
        scene.sandbox.faults({"operation": "clone_voice", "do": "drop", "phase": "after_commit", "nth": 1})
        with scene.opened() as provider:
            with pytest.raises(OutcomeUnknown):
                provider.submit_build(spec, notes)
            report = provider.submit_build(notes.known(spec), notes)
        assert (report.remote_id, report.status) == (spec.reference, RemoteStatus.TRAINING)
        assert (notes.remote_id, notes.step) == (spec.reference, "")
        assert scene.billed()[spec.reference] == self.expected(*INSTANT)

    def test_alias_that_is_somebody_elses_is_a_conflict(self, scene: Scene, listener: Listener) -> None:
        spec = self.spec(*INSTANT, listener)
        with replace(scene, key=f"{scene.key}-other").opened() as other:
            other.submit_build(spec, self.notes(spec))
        with scene.opened() as provider, pytest.raises(Conflict):
            provider.submit_build(spec, notes := self.notes(spec))
        assert notes.remote_id == ""
        assert not scene.sandbox.ledger(account=hint(scene.key))

    # --- what comes back ---

    def test_files_that_were_discarded_come_back_with_their_reasons(self, scene: Scene, listener: Listener) -> None:
        spec = self.spec(*INSTANT, listener)
        silent = replace(spec.clips[1], audio=blob("b.wav", wav_bytes(noise(2.0, -80.0))))
        spec = replace(spec, clips=(spec.clips[0], silent, spec.clips[2]))
        report = self.made(scene, spec, notes := self.notes(spec))
        assert report.status is RemoteStatus.READY
        assert [(one.remote_id, one.discard_reason) for one in report.recordings] == [
            (notes.sent["key-1"][0], "There is no speech in the file.")
        ]

    @pytest.mark.parametrize(
        "told",
        [
            [{"fileId": "f1", "reason": "silent"}],
            [{"file_id": "f1", "message": "silent"}],
            [{"id": "f1", "error": ["silent"]}],
            {"f1": "silent"},
            [None, 5.5, {}, {"reason": "whose?"}, {"fileId": "f1", "reason": "silent"}],
        ],
    )
    def test_discarded_files_in_any_form(self, told: Any) -> None:
        report = parse_report({"data": {"status": "succeeded", "discardedFiles": told}}, "x")
        assert report
        assert [(one.remote_id, one.discard_reason) for one in report.recordings] == [("f1", "silent")]

    def test_discarded_without_a_reason_is_discarded_all_the_same(self) -> None:
        report = parse_report({"data": {"status": "succeeded", "discardedFiles": ["f1", {"fileId": 2}]}}, "x")
        assert report
        assert [(one.remote_id, one.discard_reason) for one in report.recordings] == [
            ("f1", NO_REASON),
            ("2", NO_REASON),
        ]

    @pytest.mark.parametrize(
        "told",
        [
            {"data": {"alias": "x", "status": "succeeded"}},
            {"data": {"state": {"status": "succeeded"}}},
            {"data": [{"alias": "other", "status": "failed"}, {"alias": "x", "status": "succeeded"}]},
            {"status": "succeeded", "discardedFiles": []},
        ],
    )
    def test_state_is_found_wherever_it_lies(self, told: dict[str, Any]) -> None:
        report = parse_report(told, "x")
        assert report
        assert (report.remote_id, report.name, report.status) == ("x", "x", RemoteStatus.READY)

    @pytest.mark.parametrize(
        "told", [{"data": {}}, {"data": []}, {"data": None}, {"data": {"alias": "other", "status": "succeeded"}},
                 {"data": [{"alias": "other", "status": "succeeded"}]}],
    )  # fmt: skip
    def test_answer_without_our_voice_has_none(self, told: dict[str, Any]) -> None:
        assert parse_report(told, "x") is None

    @pytest.mark.parametrize("told", [{}, {"message": "Hello."}, {"data": "x"}, {"data": {"a": 1}}, {"data": [5]}])
    def test_answer_that_is_something_else_is_no_absence(self, told: dict[str, Any]) -> None:
        with pytest.raises(ResponseUnreadable):
            parse_report(told, "x")

    @pytest.mark.parametrize("data", [{}, {"data": {}}, {"data": {"alias": "x"}}, {"data": {"jobId": 7}}])
    def test_202_in_the_envelope_is_a_yes_whatever_the_data(self, data: dict[str, Any]) -> None:
        report = parse_create_response({"statusCode": 202, "message": "It is being created."} | data, "x")
        assert (report.remote_id, report.status) == ("x", RemoteStatus.TRAINING)

    def test_refusal_in_the_envelope_of_a_200_is_a_no(
        self, client: AudioStack, hostile: Hostile, listener: Listener
    ) -> None:
        hostile.says(answer(200, {"statusCode": 402, "message": "No credits.", "details": "Top up."}))
        with pytest.raises(ProviderRejected) as told:
            client.check_key()
        assert told.value.detail == "No credits.; Top up."

    # --- preview ---

    def test_voice_is_heard_once_it_has_succeeded(self, scene: Scene, listener: Listener) -> None:
        waiting, ready = (self.spec(*INSTANT, listener) for _ in range(2))
        with scene.opened() as provider:
            provider.submit_build(waiting, self.notes(waiting))
            self.made(scene, ready)
            with pytest.raises(ProviderRejected):
                provider.generate_preview(waiting.reference, "Good morning.")
            said = provider.generate_preview(ready.reference, "Good morning.")
        assert (said.content[:4], said.content_type) == (b"RIFF", "audio/wav")

    @pytest.mark.parametrize("field", ["url", "audioUrl", "previewUrl"])
    @pytest.mark.parametrize("wrapped", [True, False])
    def test_preview_may_be_an_address(self, client: AudioStack, hostile: Hostile, field: str, wrapped: bool) -> None:
        where = {field: f"{hostile.address}/sound.wav"}

        def script(asked: Asked) -> Iterator[bytes]:
            yield answer(200, WAV if asked.line.startswith("GET ") else {"data": where} if wrapped else where)

        hostile.script = script
        assert client.generate_preview("x", "Hello.").content == WAV
        asked, fetched = hostile.asked
        assert json.loads(asked.body) == {"text": "Hello.", "voice": "x"}
        assert KEY in asked.head
        assert KEY not in fetched.head

    @pytest.mark.parametrize("said", [{}, {"data": {"url": 5}}, {"data": [1]}, {"url": "http://169.254.169.254/"}])
    def test_preview_without_a_sound_is_an_error(self, client: AudioStack, hostile: Hostile, said: Any) -> None:
        hostile.says(answer(200, said))
        with pytest.raises(ResponseUnreadable):
            client.generate_preview("x", "Hello.")
        assert len(hostile.asked) == 1


def test_limits_are_those_of_the_page() -> None:
    instant, standard = (
        {name: limit.value for name, limit in AudioStack.tiers[tier].limits.items() if limit.hard}
        for tier in (Tier.RAPID, Tier.PROFESSIONAL)
    )
    both = {"shortest_clip": 1.5}
    assert instant == both | {"most_recordings": 25, "least_seconds": 1.5, "most_bytes": 10_000_000}
    assert standard == both | {"most_recordings": 500, "least_seconds": 20 * 60, "most_bytes": 500_000_000}
    assert [AudioStack.tiers[tier].credits for tier in (Tier.RAPID, Tier.PROFESSIONAL)] == [300, 1200]
