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
from tests.providers.contract import SandboxAccount, hash_key
from tests.providers.factories import KEY, load_statement, make_file_ref, make_sound
from tests.providers.http_contract import HttpProviderContract
from tests.providers.journal import MemoryJournal, WorkerKilled
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
    # The alias is ours; what says nothing of a voice is no yes all the same.
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
    def _at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(AudioStack, "poll_seconds", 0.0)

    def build_voice_response(self, status: str) -> dict[str, Any]:
        return ENVELOPE | {"data": {"alias": "x", "status": status, "discardedFiles": []}}

    def build_error_response(self, words: str) -> dict[str, Any]:
        return {"statusCode": 400, "message": "It is not possible.", "errors": [words]}

    def count_uploads(self, account: SandboxAccount) -> int:
        """Recordings only: the consent is a file like them, and told by its length."""
        mine = [
            seen
            for seen in account.list_requests()
            if seen["operation"] == self.upload_operation and seen["status"] == 200
        ]
        return sum(seen["headers"]["Content-Length"] != str(len(load_statement())) for seen in mine)

    def made(self, account: SandboxAccount, spec: BuildSpec, journal: MemoryJournal | None = None) -> BuildReport:
        """A voice that trains for no time, and what came of it."""
        account.sandbox.control("POST", "settings", {"training_seconds": 0.0})
        remote_id = self.submit_until_done(account, spec, journal or self.make_journal(spec)).remote_id

        def look() -> BuildReport | None:
            with account.open_provider() as provider:
                report = provider.fetch_build(remote_id)
            return report if report.status is not RemoteStatus.TRAINING else None

        # Other tests' voices may have come due, and the sandbox listens to one after the other.
        return until(look, patience=300.0)

    def kill_submit(self, account: SandboxAccount, spec: BuildSpec, line: int, *, saves_line: bool) -> MemoryJournal:
        """A submit whose worker is killed at this line of the journal; what it left."""
        journal = self.make_journal(spec, kill_at_line=line, saves_killed_line=saves_line)
        with account.open_provider() as provider, pytest.raises(WorkerKilled):
            provider.submit_build(spec, journal)
        journal.kill_at_line = 0
        return journal

    # --- what is asked for ---

    @pytest.mark.parametrize(("way", "engine"), [(INSTANT, "voice_engine_3"), (STANDARD, "voice_engine_2")])
    def test_voice_is_asked_for_as_on_the_page(
        self, account: SandboxAccount, relay: Relay, listener: Listener, way: Way, engine: str
    ) -> None:
        spec = self.make_spec(*way, listener)
        with replace(account, address=relay.address).open_provider() as provider:
            provider.submit_build(spec, journal := self.make_journal(spec))
        (body,) = bodies(relay.asked, "POST /audiostack/speech/voice-cloning ")
        assert set(body) == {"fileIds", "alias", "engine"}
        assert (body["alias"], body["engine"]) == (spec.reference, engine)
        recordings = [journal.uploads[clip.key][0] for clip in spec.clips]
        assert body["fileIds"][:3] == recordings
        assert len(body["fileIds"]) == (4 if way == STANDARD else 3)

    def test_consent_is_uploaded_and_goes_last(self, account: SandboxAccount, relay: Relay, listener: Listener) -> None:
        spec = self.make_spec(*STANDARD, listener)
        report = self.made(replace(account, address=relay.address), spec)
        (body,) = bodies(relay.asked, "POST /audiostack/speech/voice-cloning ")
        sent = {asked.line.split("/")[3]: asked.body for asked in relay.asked if asked.line.startswith("PUT ")}
        assert [sent[file_id] for file_id in body["fileIds"]] == [
            make_sound(0),
            make_sound(1),
            make_sound(2),
            load_statement(),
        ]
        assert report.status is RemoteStatus.READY

    def test_standard_engine_without_a_consent_is_refused_before_any_call(
        self, account: SandboxAccount, listener: Listener
    ) -> None:
        spec = replace(self.make_spec(*STANDARD, listener), consent=None)
        with account.open_provider() as provider, pytest.raises(ProviderRejected):
            provider.submit_build(spec, self.make_journal(spec))
        assert not account.list_requests()

    def test_consent_in_which_nobody_speaks_fails_with_the_vendors_words(
        self, account: SandboxAccount, listener: Listener
    ) -> None:
        spec = replace(
            self.make_spec(*STANDARD, listener), consent=make_file_ref("consent.wav", sample_wav("rms-silent"))
        )
        report = self.made(account, spec)
        assert report.status is RemoteStatus.FAILED
        assert "agrees to have their voice cloned" in report.issue

    @pytest.mark.parametrize("way", [INSTANT, STANDARD])
    def test_nothing_that_leaves_the_house_names_a_person(
        self, account: SandboxAccount, relay: Relay, listener: Listener, way: Way
    ) -> None:
        spec = self.make_spec(*way, listener)
        named = [
            replace(c, name="Jane Doe", transcript="I am Jane Doe.", audio=replace(c.audio, name="Jane Doe.wav"))
            for c in spec.clips
        ]
        spec = replace(spec, clips=tuple(named), consent=make_file_ref("consent of Jane Doe.wav", load_statement()))
        with replace(account, address=relay.address).open_provider() as provider:
            provider.submit_build(spec, self.make_journal(spec))
        assert not [asked for asked in relay.asked if "jane" in asked.head.lower() or b"jane" in asked.body.lower()]
        names = [body["file_name"] for body in bodies(relay.asked, "POST /audiostack/files ")]
        wanted = [f"{spec.reference}-{key}.wav" for key in ("key-0", "key-1", "key-2", "consent")]
        assert names == wanted[: len(names)]

    # --- files, and workers that are killed ---

    @pytest.mark.parametrize(
        ("line", "saves_line"), [(2, True), (3, False)], ids=["before its bytes", "after its bytes"]
    )
    def test_announced_file_is_used_by_who_takes_over(
        self, account: SandboxAccount, listener: Listener, line: int, saves_line: bool
    ) -> None:
        """Killed between POST /files and PUT, or between PUT and writing down that it is there."""
        spec = self.make_spec(*INSTANT, listener)
        journal = self.kill_submit(account, spec, line, saves_line=saves_line)
        assert (account.count_successes("create_file"), journal.uploads) == (1, {})
        self.submit_until_done(account, spec, journal)
        assert (account.count_successes("create_file"), self.count_uploads(account)) == (3, 3)
        assert json.loads(journal.resume_state)["key"] == "key-2"

    def test_consent_that_is_there_is_not_sent_again(self, account: SandboxAccount, listener: Listener) -> None:
        spec = self.make_spec(*STANDARD, listener)
        lines = self.submit_until_done(account, spec, self.make_journal(spec)).line_count
        again = self.make_spec(*STANDARD, listener)
        before = account.count_successes("upload_file")
        journal = self.kill_submit(account, again, lines - 2, saves_line=False)  # just before "Creating the voice"
        assert len(journal.uploads) == 3
        self.submit_until_done(account, again, journal)
        assert account.count_successes("upload_file") - before == 4

    def test_address_that_is_not_good_any_more_is_replaced(self, account: SandboxAccount, listener: Listener) -> None:
        spec = self.make_spec(*INSTANT, listener)
        journal = self.kill_submit(account, spec, 2, saves_line=True)
        begun = json.loads(journal.resume_state)
        journal.resume_state = json.dumps(begun | {"url": begun["url"] + "expired"})
        self.submit_until_done(account, spec, journal)
        assert journal.uploads["key-0"][0] != begun["file_id"]
        assert account.count_creations()[spec.reference] == self.count_expected(*INSTANT)

    def test_file_that_was_deleted_there_is_replaced(self, account: SandboxAccount, listener: Listener) -> None:
        spec = self.make_spec(*INSTANT, listener)
        journal = self.kill_submit(account, spec, 3, saves_line=False)
        with account.open_provider() as provider:
            path = f"/files/{json.loads(journal.resume_state)['file_id']}"
            provider.call("delete", "DELETE", path, may_be_empty=True)
        self.submit_until_done(account, spec, journal)
        assert account.count_successes("create_file") == 4

    def test_what_another_build_kept_is_not_used(self, account: SandboxAccount, listener: Listener) -> None:
        """Such as the consent that was in force then."""
        spec = self.make_spec(*STANDARD, listener)
        old = self.submit_until_done(account, spec, self.make_journal(spec)).resume_state
        assert json.loads(old)["key"] == "consent"
        again = replace(self.make_spec(*STANDARD, listener), resume_state=old)
        before = account.count_successes("create_file")
        self.submit_until_done(account, again, self.make_journal(again))
        assert account.count_successes("create_file") - before == 4

    @pytest.mark.parametrize("kept", ["[]", "5", "{}", '{"key": "key-0"}', "no JSON"])
    def test_what_cannot_be_read_is_not_used(self, account: SandboxAccount, listener: Listener, kept: str) -> None:
        spec = replace(self.make_spec(*INSTANT, listener, clips=1), resume_state=kept)
        self.submit_until_done(account, spec, self.make_journal(spec))
        assert account.count_successes("create_file") == 1

    def test_recordings_that_are_there_are_not_sent_again(self, account: SandboxAccount, listener: Listener) -> None:
        spec = self.make_spec(*INSTANT, listener)
        known = self.submit_until_done(account, spec, self.make_journal(spec)).apply_to(spec)
        again = replace(known, reference=f"{spec.reference}-again", remote_id="")
        with account.open_provider() as provider:
            provider.submit_build(again, self.make_journal(again))
        assert (account.count_successes("create_file"), self.count_uploads(account)) == (3, 3)

    def scripted(self, hostile: Hostile, statuses: Iterator[str]) -> None:
        """A provider that says these words of a file, one after the other, and takes everything."""
        file = {"fileId": "f/1", "uploadUrl": f"{hostile.address}/put", "mimeType": "audio/wav"}

        def script(asked: Asked) -> Iterator[bytes]:
            if asked.line.startswith("GET /audiostack/files/f%2F1 "):
                yield answer(200, file | {"status": next(statuses)})
            elif asked.line.startswith("POST /audiostack/speech"):
                yield answer(202, self.build_voice_response("processing") | {"data": {"status": "processing"}})
            else:
                yield answer(200, file)

        hostile.script = script

    def test_file_is_asked_for_until_it_is_uploaded(
        self, client: AudioStack, hostile: Hostile, listener: Listener
    ) -> None:
        spec = self.make_spec(*INSTANT, listener, clips=1)
        self.scripted(hostile, iter(["pending", "", "PROCESSING", "Uploaded"]))
        client.submit_build(spec, self.make_journal(spec))
        lines = [asked.line.split()[0] for asked in hostile.asked]
        assert lines == ["POST", "PUT", "GET", "GET", "GET", "GET", "POST"]

    def test_file_that_takes_long_is_left_for_later(
        self, client: AudioStack, hostile: Hostile, listener: Listener
    ) -> None:
        spec = self.make_spec(*INSTANT, listener, clips=1)
        self.scripted(hostile, iter(["pending"] * MAX_FILE_POLLS + ["uploaded"]))
        journal = self.make_journal(spec)
        with pytest.raises(ProviderUnavailable):
            client.submit_build(spec, journal)
        assert journal.pending_call == ""
        client.submit_build(journal.apply_to(spec), journal)
        assert [asked.line.split()[0] for asked in hostile.asked].count("PUT") == 1

    @pytest.mark.parametrize("word", ["failed", "ERROR"])
    def test_file_that_is_not_taken_ends_it(
        self, client: AudioStack, hostile: Hostile, listener: Listener, word: str
    ) -> None:
        spec = self.make_spec(*INSTANT, listener, clips=1)
        self.scripted(hostile, iter([word]))
        with pytest.raises(ProviderRejected):
            client.submit_build(spec, journal := self.make_journal(spec))
        assert journal.pending_call == ""

    def test_gate_is_asked_before_each_file_and_while_a_long_one_is_sent(
        self, account: SandboxAccount, listener: Listener
    ) -> None:
        class Withdrawn(Exception):
            pass

        for calls, sent in ((1, 0), (2, 1), (3, 1)):
            spec = self.make_spec(*INSTANT, listener)
            long = ClipUpload("key-1", "long", "", make_file_ref("long.wav", bytes(2 * BLOCK_BYTES)))
            spec = replace(spec, clips=(spec.clips[0], long, spec.clips[2]))
            left = iter(range(calls - 1))

            def refuse(_doing: str, _done: int, _total: int) -> None:
                if next(left, None) is None:  # noqa: B023
                    raise Withdrawn

            journal, before = self.make_journal(spec), self.count_uploads(account)
            journal.record_progress = refuse  # type: ignore[method-assign, assignment]  # of this one object
            with account.open_provider() as provider, pytest.raises(Withdrawn):
                provider.submit_build(spec, journal)
            assert self.count_uploads(account) - before == sent

    # --- the alias ---

    def test_alias_that_is_taken_after_a_lost_answer_is_ours(self, account: SandboxAccount, listener: Listener) -> None:
        """Also for who asks again without having looked."""
        spec = self.make_spec(*INSTANT, listener)
        journal = self.make_journal(spec)
        account.sandbox.faults({"operation": "clone_voice", "do": "drop", "phase": "after_commit", "nth": 1})
        with account.open_provider() as provider:
            with pytest.raises(OutcomeUnknown):
                provider.submit_build(spec, journal)
            report = provider.submit_build(journal.apply_to(spec), journal)
        assert (report.remote_id, report.status) == (spec.reference, RemoteStatus.TRAINING)
        assert (journal.remote_id, journal.pending_call) == (spec.reference, "")
        assert account.count_creations()[spec.reference] == self.count_expected(*INSTANT)

    def test_alias_that_is_somebody_elses_is_a_conflict(self, account: SandboxAccount, listener: Listener) -> None:
        spec = self.make_spec(*INSTANT, listener)
        with replace(account, key=f"{account.key}-other").open_provider() as other:
            other.submit_build(spec, self.make_journal(spec))
        with account.open_provider() as provider, pytest.raises(Conflict):
            provider.submit_build(spec, journal := self.make_journal(spec))
        assert journal.remote_id == ""
        assert not account.sandbox.ledger(account=hash_key(account.key))

    # --- what comes back ---

    def test_files_that_were_discarded_come_back_with_their_reasons(
        self, account: SandboxAccount, listener: Listener
    ) -> None:
        spec = self.make_spec(*INSTANT, listener)
        silent = replace(spec.clips[1], audio=make_file_ref("b.wav", wav_bytes(noise(2.0, -80.0))))
        spec = replace(spec, clips=(spec.clips[0], silent, spec.clips[2]))
        report = self.made(account, spec, journal := self.make_journal(spec))
        assert report.status is RemoteStatus.READY
        assert [(one.remote_id, one.discard_reason) for one in report.recordings] == [
            (journal.uploads["key-1"][0], "There is no speech in the file.")
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

    def test_voice_is_heard_once_it_has_succeeded(self, account: SandboxAccount, listener: Listener) -> None:
        waiting, ready = (self.make_spec(*INSTANT, listener) for _ in range(2))
        with account.open_provider() as provider:
            provider.submit_build(waiting, self.make_journal(waiting))
            self.made(account, ready)
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
