"""The Django project, and code shared by all apps."""

import os

# Limit numpy to one thread; this must be set before numpy is imported. The matrices of the audio models are small:
# several threads are slower even on an idle machine, and twenty times slower on a busy one.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
