"""Lists the studio among the commands. manage.py runs it without Django (voicehub.embedded, voicehub.studio)."""

import sys

from django.core.management.base import BaseCommand, CommandParser

from voicehub import studio


class Command(BaseCommand):
    help = "Runs the whole studio on this machine until Ctrl-C: web, worker, sweeper, queue and sandbox."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        studio.add_arguments(parser)

    def handle(self, *, port: int, workers: int, no_sample: bool, **options: object) -> None:
        sys.exit(studio.run(port, workers, sample=not no_sample))
