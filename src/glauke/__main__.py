"""`python -m glauke`: the command line, for where the `glauke` script is not on the path."""

from glauke.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
