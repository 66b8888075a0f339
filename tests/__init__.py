"""The tests, and the code that they share."""

import voicehub as voicehub  # first: it limits the threads of numpy, before a test imports numpy
