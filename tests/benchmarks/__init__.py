"""What gradlab costs beside its rivals: `make benchmark`, or `python -m benchmarks` in tests/."""
