from typing import Any

from django.core.management.base import BaseCommand, CommandError

from voices.sample_studio import SampleFailed, make_sample_studio


class Command(BaseCommand):
    help = "Create the sample studio, if it does not exist yet. Needs a running worker and the sandbox."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            make_sample_studio(lambda line: self.stdout.write(f"Sample studio: {line}"))
        except SampleFailed as error:
            raise CommandError(str(error)) from None
