"""`python -m clusterpress.cli` is the command."""

from clusterpress.cli import main

main()
