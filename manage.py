#!/usr/bin/env python3
"""The command line of VoiceHub; `python manage.py help` lists what it can do."""

import os
import sys

from launcher import entry

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voicehub.settings")
    entry.prepare(sys.argv)
    # Not before: the studio is started without Django, which takes a while to load.
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
