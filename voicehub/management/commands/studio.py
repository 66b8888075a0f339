"""Lists `studio` among the commands. manage.py runs it without Django (launcher.environment, launcher.studio)."""

import sys

from django.core.management.base import BaseCommand, CommandParser

from launcher import studio


class Command(BaseCommand):
    help = "Run the whole studio on this machine until Ctrl-C: web server, worker, sweeper, queue and sandbox."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        studio.add_arguments(parser)

    def handle(self, *, port: int, workers: int, no_sample: bool, **options: object) -> None:
        sys.exit(studio.run_studio(port, workers, sample=not no_sample))
