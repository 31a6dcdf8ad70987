"""The benchmarks of ``make bench``: the running product beside its floors, in one run on one machine."""
