"""`python -m ftl_nb.cli`."""

from ftl_nb.cli import main

main()
