"""Pieces of work on threads."""

import numpy as np
import torch

from clusterpress.clustering import optimal, threads


def test_every_piece_is_done_once_and_in_order(monkeypatch):
    for number in (1, 4):
        monkeypatch.setattr(threads, "available", lambda number=number: number)
        assert threads.on_threads(lambda piece: piece**2, 9) == [piece**2 for piece in range(9)]


def test_clustering_leaves_the_threads_of_torch_alone():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        optimal(np.random.default_rng(0).standard_normal(2**20), 4)
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)
