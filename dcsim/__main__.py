"""`python -m dcsim` is `dcsim`."""

from dcsim.cli import main

if __name__ == "__main__":
    main()
