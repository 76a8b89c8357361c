"""Data sets as uint8 tensors in memory, and the batches that are made of them.

The data sets themselves are ``digits.Digits``, ``mnist.Mnist``, ``mnist.FashionMnist``,
``cifar.Cifar10`` and ``cifar.Cifar100``; they are not imported here, because what they need takes
seconds to import.
"""

from clusterpress.data.images import ImageSet, Split

__all__ = ["ImageSet", "Split"]
