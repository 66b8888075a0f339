#!/usr/bin/env python3
"""The command line of VoiceHub; `python manage.py help` lists what it can do."""

import os
import sys


def main(argv: list[str]) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voicehub.settings")
    if argv[1:2] == ["studio"] and not {"--help", "-h"} & set(argv):
        # The studio is started without Django, which takes a while to load.
        from launcher import studio

        studio.main(argv[2:])
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(argv)
    except ImproperlyConfigured as error:
        sys.exit(f"manage.py: {error}")


if __name__ == "__main__":
    main(sys.argv)
