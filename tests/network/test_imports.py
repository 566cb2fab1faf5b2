"""What is cleared in bulk needs numpy alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import dcsim.network


def test_nothing_heavy_is_imported():
    modules = sorted(path.stem for path in Path(dcsim.network.__file__).parent.glob("*.py") if path.stem != "__init__")
    assert "clearing" in modules
    code = f"import sys, {', '.join('dcsim.network.' + name for name in modules)}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout.split()
    assert "numpy" in loaded
    assert not {"scipy", "networkx", "pandas"} & set(loaded)
