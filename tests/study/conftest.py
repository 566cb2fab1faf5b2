import sys
from pathlib import Path

# On the path of this process and so of the workers it starts, which import the fake model by name.
sys.path.append(str(Path(__file__).parents[1] / "support"))

import pytest


@pytest.fixture(scope="session")
def support():
    """The directory of scripts and modules that tests start or import."""
    return Path(__file__).parents[1] / "support"
