"""Clustering of scalars: optimal, entropy-constrained, and by Lloyd's iterations."""
