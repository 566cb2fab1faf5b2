import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))  # where the tests of this directory find `helpers`
