"""The project, and what knows no app."""

import os

# One thread for the sums of numpy, said before anything imports it. The matrices of the audio models are small: with
# several threads they take longer even on an idle machine, and twenty times as long on a busy one.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
