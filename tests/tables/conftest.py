import sys
from pathlib import Path

# On the path of this process and so of the workers it starts, which import the fake model by name.
sys.path.append(str(Path(__file__).parents[1] / "support"))
