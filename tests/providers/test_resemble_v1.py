"""Resemble AI, version 1: the contract, and what is its own: one address that is given once, and a list that says
little."""

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
from tests.support.hostile import Asked, Hostile, answer
from tests.support.sandbox import Listener, Sandbox, until

WAV = (Tier.PROFESSIONAL, Handover.SIGNED_PUT_WAV)


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
        {"voice": "x", "url": "https://elsewhere.example/", "headers": {"": 1, "A\nB": "c", "X": "ä", "Y": [1]}},
    ]

    def build_voice_response(self, status: str) -> list[dict[str, Any]]:
        return [{"name": "z", "uuid": "z"}, {"name": "y", "language": "en-US", "id": 7, "uuid": "x", "status": status}]

    def build_error_response(self, words: str) -> dict[str, Any]:
        return {"errors": [words]}

    def test_unknown_voice_is_not_found(self, account: SandboxAccount) -> None:
        """No page says which voices the list shows: one in training that it leaves out is not taken for deleted."""
        with account.open_provider() as provider:
            assert provider.fetch_build("nobody") == BuildReport("nobody", RemoteStatus.UNKNOWN, "")
            assert provider.find_build("vh-nobody") is None

    def test_the_three_kinds_train_and_come_back_with_four_scores(
        self, account: SandboxAccount, listener: Listener
    ) -> None:
        account.sandbox.control("POST", "settings", {"training_seconds": 0.0})
        for tier, way in self.list_modes():
            spec = self.make_spec(tier, way, listener)
            with account.open_provider() as provider:
                remote_id = provider.submit_build(spec, self.make_journal(spec)).remote_id
                report = until(lambda: self._ended(provider, remote_id))  # noqa: B023
                said = provider.parse_callback(listener.posted.get(timeout=60)[1].encode())
            assert report.status is RemoteStatus.READY, (way, report.issue)
            assert set(report.scores) == {"voice_similarity", "fluency", "pauses", "resemble_score"}
            assert (said.remote_id, said.status, said.scores) == (remote_id, RemoteStatus.READY, report.scores)

    def _ended(self, provider: HttpProvider, remote_id: str) -> BuildReport | None:
        report = provider.fetch_build(remote_id)
        return None if report.status is RemoteStatus.TRAINING else report

    def test_list_as_the_vendor_attests_it_says_nothing_of_status(self, client: HttpProvider, hostile: Hostile) -> None:
        hostile.says(answer(200, [{"name": "y", "language": "en-US", "id": 7, "uuid": "x"}]))
        for remote_id in ("x", "7"):
            report = client.fetch_build(remote_id)
            assert (report.remote_id, report.status, report.raw_status) == (remote_id, RemoteStatus.UNKNOWN, "")
            assert report.version == ""

    @pytest.mark.parametrize(
        "scores", [{"scores": {"pauses": "0.25", "fluency": 0.5}}, {"pauses": 0.25, "fluency": 0.5}]
    )
    def test_scores_are_read_wherever_they_stand(
        self, client: HttpProvider, hostile: Hostile, scores: dict[str, Any]
    ) -> None:
        hostile.says(answer(200, [{"name": "y", "id": "x"} | scores]))
        assert client.fetch_build("x").scores == {"pauses": 0.25, "fluency": 0.5}

    # --- what is announced ---

    def test_announcement_holds_what_the_page_wants(
        self, client: HttpProvider, hostile: Hostile, listener: Listener
    ) -> None:
        hostile.says(answer(200, {}))
        spec = self.make_spec(*self.list_modes()[0], listener)
        assert spec.pack_file is not None
        parcel = spec.pack_file()
        with pytest.raises(OutcomeUnknown):
            client.submit_build(spec, self.make_journal(spec))
        body = json.loads(hostile.asked[0].body)
        assert body == {
            "name": spec.reference,
            "filename": "voice.tar.gz",
            "byte_size": parcel.size,
            "checksum": body["checksum"],
            "content-type": "application/gzip",
            "content_type": "application/gzip",
            "callback_uri": spec.callback_url,
        }
        assert len(body["checksum"]) == 24
        assert "authorization: Token token=" in hostile.asked[0].head.replace("Authorization", "authorization")

    # --- the address ---

    def _scripted(self, hostile: Hostile, *, put: bytes, headers: dict[str, Any] | None = None) -> None:
        signed = {"Content-Type": "audio/x-wav", "Content-MD5": "abc"} if headers is None else headers

        def script(asked: Asked) -> Iterator[bytes]:
            method, path, _ = asked.line.split()
            said: dict[tuple[str, str], Any] = {
                ("POST", "/resemble/api/v1/voices"): {
                    "url": f"{hostile.address}/up?s=1",
                    "headers": signed,
                    "voice": "x",
                },
                ("GET", "/resemble/api/v1/voices"): [{"name": "y", "uuid": "x"}],
                ("POST", "/resemble/api/v1/voices/build"): {"success": True},
            }
            yield put if method == "PUT" else answer(200, said[method, path])

        hostile.script = script

    def test_signed_headers_go_back_as_they_came(
        self, client: HttpProvider, hostile: Hostile, listener: Listener
    ) -> None:
        headers = {"Content-Type": "a/b", "Content-MD5": "xyz", "X-Amz-Thing": 5, "Host": "evil", "Content-Length": "1"}
        self._scripted(hostile, put=answer(200, b""), headers=headers)
        spec = self.make_spec(*WAV, listener)
        assert spec.pack_file is not None
        assert client.submit_build(spec, self.make_journal(spec)).status is RemoteStatus.TRAINING
        (sent,) = [asked for asked in hostile.asked if asked.line.startswith("PUT")]
        lines = sent.head.split("\r\n")
        assert {"Content-Type: a/b", "Content-MD5: xyz", "X-Amz-Thing: 5"} <= set(lines)
        assert [line for line in lines if line.startswith("Content-Length")] == [
            f"Content-Length: {spec.pack_file().size}"
        ]
        assert "evil" not in sent.head
        assert sent.body == b"".join(spec.pack_file().chunks())

    @pytest.mark.parametrize("status", [401, 403])
    def test_address_that_has_expired_is_said_as_such(
        self, client: HttpProvider, hostile: Hostile, listener: Listener, status: int
    ) -> None:
        self._scripted(hostile, put=answer(status, b"<Error><Code>AccessDenied</Code></Error>"))
        spec = self.make_spec(*WAV, listener)
        with pytest.raises(ProviderRejected, match="no longer valid"):
            client.submit_build(spec, self.make_journal(spec))
        assert not [asked for asked in hostile.asked if "/build" in asked.line]

    @pytest.mark.parametrize("kept", ["", "{}", "nonsense", '{"voice": "y", "url": "", "headers": {}, "checksum": ""}'])
    def test_lost_address_is_said_in_clear_words_and_nothing_is_made(
        self, client: HttpProvider, hostile: Hostile, listener: Listener, kept: str
    ) -> None:
        spec = replace(self.make_spec(*WAV, listener), remote_id="x", resume_state=kept)
        with pytest.raises(ProviderRejected, match="Build again"):
            client.submit_build(spec, self.make_journal(spec))
        assert not hostile.asked

    def test_address_is_kept_before_the_id(self, account: SandboxAccount, listener: Listener) -> None:
        """Whoever takes over knows of the voice only if it can be filled too."""
        for tier, way in self.list_modes():
            spec = self.make_spec(tier, way, listener)
            for line in range(1, self.submit_until_done(account, spec, self.make_journal(spec)).line_count + 1):
                spec = self.make_spec(tier, way, listener)
                journal = self.make_journal(spec, kill_at_line=line, saves_killed_line=True)
                with account.open_provider() as provider, suppress(WorkerKilled):
                    provider.submit_build(spec, journal)
                assert journal.resume_state or not journal.remote_id, line

    def test_answer_without_an_address(self, client: HttpProvider, hostile: Hostile, listener: Listener) -> None:
        hostile.says(answer(200, {"voice": "x", "headers": {}}))
        spec = self.make_spec(*WAV, listener)
        with pytest.raises(ProviderRejected, match="Build again"):
            client.submit_build(spec, journal := self.make_journal(spec))
        assert (journal.remote_id, journal.pending_call) == ("x", "")

    def test_other_recordings_than_were_announced_are_not_sent(
        self, client: HttpProvider, hostile: Hostile, listener: Listener
    ) -> None:
        door = UploadTarget("x", f"{hostile.address}/up", {}, "AAAAAAAAAAAAAAAAAAAAAA==")
        spec = replace(self.make_spec(*WAV, listener), remote_id="x", resume_state=door.dump_json())
        with pytest.raises(ProviderRejected, match="announced"):
            client.submit_build(spec, self.make_journal(spec))
        assert not hostile.asked

    def test_what_was_sent_is_not_sent_or_packed_again(
        self, client: HttpProvider, hostile: Hostile, listener: Listener
    ) -> None:
        self._scripted(hostile, put=answer(500, b""))

        def packed() -> UploadFile:
            raise AssertionError("packed again")

        door = UploadTarget("x", f"{hostile.address}/up", {}, "any", sent=True)
        spec = replace(self.make_spec(*WAV, listener), remote_id="x", resume_state=door.dump_json(), pack_file=packed)
        assert client.submit_build(spec, self.make_journal(spec)).status is RemoteStatus.TRAINING

    @pytest.mark.parametrize("status", ["running", "finished", "dataset_issue", "failed"])
    def test_voice_that_was_built_is_not_built_again(
        self, client: HttpProvider, hostile: Hostile, listener: Listener, status: str
    ) -> None:
        """The build call whose answer was lost arrived late, after we had looked for it twice."""
        hostile.says(answer(200, self.build_voice_response(status)))
        door = UploadTarget("x", f"{hostile.address}/up", {}, "any", sent=True)
        spec = replace(self.make_spec(*WAV, listener), remote_id="x", resume_state=door.dump_json())
        assert client.submit_build(spec, self.make_journal(spec)).raw_status == status
        assert [asked.line.split()[0] for asked in hostile.asked] == ["GET"]

    @pytest.mark.parametrize("body", [b"", b"  ", b"{}"])
    def test_build_may_be_answered_with_nothing(
        self, client: HttpProvider, hostile: Hostile, listener: Listener, body: bytes
    ) -> None:
        said = [answer(200, self.build_voice_response("")), answer(200, body)]
        hostile.script = lambda asked: [said["/build" in asked.line]]
        door = UploadTarget("x", f"{hostile.address}/up", {}, "any", sent=True)
        spec = replace(self.make_spec(*WAV, listener), remote_id="x", resume_state=door.dump_json())
        assert client.submit_build(spec, self.make_journal(spec)).status is RemoteStatus.TRAINING

    # --- the parcel ---

    def test_big_parcel_is_streamed_and_said_to_move(
        self, client: HttpProvider, hostile: Hostile, listener: Listener
    ) -> None:
        """Its pieces are asked for while they are sent, and every megabyte keeps the work ours."""
        self._scripted(hostile, put=answer(200, b""))
        whole = make_upload_file("voice.wav", "audio/x-wav", bytes(5 * PROGRESS_BYTES + 1))
        events: list[str] = []

        def chunks() -> Iterator[bytes]:
            for chunk in whole.chunks():
                events.append("chunk")
                yield chunk

        spec = replace(self.make_spec(*WAV, listener), pack_file=lambda: replace(whole, chunks=chunks))
        journal = self.make_journal(spec)
        heard = journal.record_progress

        def progress(doing: str, done: int, total: int) -> None:
            heard(doing, done, total)
            if doing.startswith("Sending"):
                events.append(f"{done} of {total}")

        journal.record_progress = progress  # type: ignore[method-assign]
        client.submit_build(spec, journal)
        each = ["chunk"] * (PROGRESS_BYTES >> 16)
        parts = [[f"{number} of 6", *each] for number in range(5)]
        assert events == [*sum(parts, []), "5 of 6", "chunk"]

    @pytest.mark.parametrize("url", ["https://elsewhere.example/x", "http://127.0.0.1:9/x", "file:///etc/passwd", "/x"])
    def test_address_that_leads_elsewhere_gets_nothing(
        self, client: HttpProvider, hostile: Hostile, listener: Listener, url: str
    ) -> None:
        """Of a sandbox account the recordings go to the sandbox and nowhere else."""
        hostile.says(answer(200, {"voice": "x", "url": url, "headers": {}}))
        spec = self.make_spec(*WAV, listener)
        with pytest.raises(ResponseUnreadable, match="not safe"):
            client.submit_build(spec, self.make_journal(spec))
        assert len(hostile.asked) == 1

    def test_dataset_that_is_bad_is_an_issue_in_words(
        self, account: SandboxAccount, sandbox: Sandbox, listener: Listener
    ) -> None:
        sandbox.control("POST", "settings", {"training_seconds": 0.0})
        junk = make_upload_file("voice.tar.gz", "application/gzip", b"junk")
        spec = replace(self.make_spec(*self.list_modes()[0], listener), pack_file=lambda: junk)
        with account.open_provider() as provider:
            remote_id = provider.submit_build(spec, self.make_journal(spec)).remote_id
            report = until(lambda: self._ended(provider, remote_id))
        assert report.status is RemoteStatus.DATASET_ISSUE
        assert "neither a readable .zip" in report.issue

    def test_build_of_a_voice_that_was_deleted_over_there(
        self, client: HttpProvider, hostile: Hostile, listener: Listener
    ) -> None:
        said = [answer(200, []), answer(404, {"errors": ["Voice not found."]})]
        hostile.script = lambda asked: [said["/build" in asked.line]]
        door = UploadTarget("x", f"{hostile.address}/up", {}, "any", sent=True)
        spec = replace(self.make_spec(*WAV, listener), remote_id="x", resume_state=door.dump_json())
        with pytest.raises(NotFound):
            client.submit_build(spec, self.make_journal(spec))
