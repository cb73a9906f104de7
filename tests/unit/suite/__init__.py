"""What ``benchmarks.suite`` reads, compares and prints, nothing measured."""
