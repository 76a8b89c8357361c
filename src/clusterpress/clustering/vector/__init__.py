"""k-means of vectors, plain and up to transforms; product quantisation."""
