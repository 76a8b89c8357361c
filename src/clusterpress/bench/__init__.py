"""The benchmark: clustering against its peers, on the same data in the same process."""
