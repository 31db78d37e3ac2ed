"""Before any test is read: bytecode is kept, also where the environment forbids it."""

import os
import sys

# Else every worker and every server that a test starts compiles some two thousand modules anew: half of all its work.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
