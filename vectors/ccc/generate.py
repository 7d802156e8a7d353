"""Makes the vectors of this folder; with --check it compares them instead, and exits with 1 where one differs.

The generator is tools/slow_twin; its requirements.txt names the packages that this needs.
"""

import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.argv[1:] = sys.argv[1:] or ["--write"]
runpy.run_module("tools.slow_twin", run_name="__main__")
