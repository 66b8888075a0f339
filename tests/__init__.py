"""The tests, and what they share."""

import voicehub as voicehub  # first of all: it says how many threads numpy takes, before anything imports numpy
