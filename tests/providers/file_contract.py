"""The contract of providers that keep each recording as a file with an id of its own."""

from providers.types import CONSENT_KEY, ConsentProof
from tests.providers.contract import ProviderContract, SandboxAccount
from tests.support.sandbox import CallbackServer


class FileContract(ProviderContract):
    """For tiers with `can_delete_files`."""

    def test_every_announced_file_can_be_deleted(self, account: SandboxAccount, listener: CallbackServer) -> None:
        """The ids are recorded before the bytes are sent, and the consent's file is among them."""
        for tier, handover in self.list_distinct_modes():
            spec = self.make_spec(tier, handover, listener)
            journal = self.make_journal(spec)
            consent_proof = self.provider_class.tiers[tier].consent_proof
            with account.open_provider() as provider:
                provider.submit_build(spec, journal)
                keys = [clip.key for clip in spec.clips]
                keys += [CONSENT_KEY] if consent_proof is ConsentProof.AUDIO_FILE else []
                assert [key for key, _file_id in journal.files] == keys
                for _key, file_id in journal.files:
                    assert provider.has_file(file_id)
                    provider.delete_file(file_id)
                    assert provider.delete_file(file_id) == {}
                    assert not provider.has_file(file_id)

    def test_file_is_recorded_before_its_bytes_are_sent(
        self, account: SandboxAccount, listener: CallbackServer
    ) -> None:
        """Each upload request finds its file in the journal already."""
        spec = self.make_spec(*self.list_modes()[0], listener)
        journal = self.make_journal(spec)
        with account.open_provider() as provider:
            original, known = provider.upload_file, []

            def upload(*arguments: object) -> None:
                known.append(len(journal.files))
                original(*arguments)  # type: ignore[arg-type]  # arguments are passed on

            provider.upload_file = upload  # type: ignore[method-assign, assignment]  # a test double
            provider.submit_build(spec, journal)
        assert known == [1, 2, 3]
