"""The contract of the options that a person sets for a build: each value arrives at the provider."""

from dataclasses import replace

from providers.options import check_option
from providers.types import Handover, Tier
from tests.providers.contract import ProviderContract, SandboxAccount
from tests.providers.factories import choose_other_value
from tests.support.sandbox import CallbackServer


class OptionContract(ProviderContract):
    def list_sent_options(self, tier: Tier, handover: Handover) -> set[str]:
        """The names of the options that this mode sends: all of the tier, unless a provider says otherwise."""
        return {option.name for option in self.provider_class.tiers[tier].options}

    def test_every_option_has_help_source_and_a_valid_default(self) -> None:
        for capabilities in self.provider_class.tiers.values():
            emotion = [capabilities.emotion] if capabilities.emotion else []
            for option in [*capabilities.options, *emotion]:
                assert option.label and option.help and option.source and option.checked
                assert check_option(option, option.default) == option.default

    def test_build_sends_the_values_of_its_options(self, account: SandboxAccount, listener: CallbackServer) -> None:
        """Each tier gets other values than the defaults, and the defaults if a build has none."""
        for tier, handover in self.list_distinct_modes():
            options = self.provider_class.tiers[tier].options
            values = {option.name: choose_other_value(option) for option in options}
            for given, expected in ((values, values), ({}, {option.name: option.default for option in options})):
                spec = replace(self.make_spec(tier, handover, listener), options=given)
                before = len(account.list_requests())
                with account.open_provider() as provider:
                    provider.submit_build(spec, self.make_journal(spec))
                received = [request["options"] for request in account.list_requests()[before:]]
                for name, value in expected.items():
                    if name in self.list_sent_options(tier, handover):
                        got = [sent[name] for sent in received if name in sent]
                        assert {"" if item is None else item for item in got} == {value}, (tier, handover, name)
