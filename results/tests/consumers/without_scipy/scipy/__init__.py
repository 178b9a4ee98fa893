"""What compare.py of Google Benchmark imports, where SciPy is not installed: enough for its ratios, nothing of its U test."""
