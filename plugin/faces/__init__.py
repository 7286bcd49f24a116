"""The pure core: numbers in, numbers out. Imports NumPy, the standard library and `plugin.domain`, nothing else."""
