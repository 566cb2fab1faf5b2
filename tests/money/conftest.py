import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path += [str(HERE), str(HERE.parent / "model")]  # where the tests of this directory find `calls` and `helpers`
