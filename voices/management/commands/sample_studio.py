from typing import Any

from django.core.management.base import BaseCommand, CommandError

from voices.sample_studio import SampleFailed, make


class Command(BaseCommand):
    help = "Makes the sample studio where it is not there yet. Needs a running worker and the sandbox."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            make(lambda line: self.stdout.write(f"Sample studio: {line}"))
        except SampleFailed as error:
            raise CommandError(str(error)) from None
