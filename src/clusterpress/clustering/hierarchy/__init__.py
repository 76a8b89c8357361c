"""Agglomerative clustering of vectors."""
