"""How fast the system is, each figure beside its floor, measured in the same run: `python -m benchmarks --help`."""
