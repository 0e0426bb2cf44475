"""The command line: read arguments, call one job, print. Commands are imported when they are used, not before."""

from ._main import main as main
