"""Give merged neurons norms of their own, so that in evaluation they are what was folded."""

from collections.abc import Sequence
from dataclasses import replace

import torch

from clusterpress.merging.affine import Affine

# Below this share of a cluster's mean |gamma| its scales have cancelled.
_CANCELLED = 1e-6


def carrier(norms: Sequence[Affine], incoming: torch.Tensor) -> torch.Tensor:
    """Give the matrix by which a layer's weights combine where norms alone read its sums.

    A neuron's weights have a scale that its norms undo: (10 w, 100 var) is the same neuron as
    (w, var). So each member i counts with ``r_i``, the length of its scales ``gamma / sigma`` over
    all norms (with the sign of the first), and the result is divided by one r of the cluster:
    ``W' = sum_i p_i r_i W_i / r``. With one norm this is the folded mean, up to r, which gives
    the merged norm the mean |gamma| and the root mean square sigma of its cluster, as the members
    had them.

    Args:
        norms: What reads the sums, each of shapes (columns, n).
        incoming: The members' shares ``p_i``, shape (m, n).

    Returns:
        float64, shape (m, n). Clusters of one are left as they are.
    """
    scales = torch.cat([norm.scale for norm in norms])
    lengths = _signed_lengths(scales, all(norm.learns for norm in norms))
    share = incoming @ lengths.abs()
    together = incoming @ (lengths.sign() * scales).T / share[:, None]
    gamma = torch.cat([norm.gamma for norm in norms]).abs()
    spread = torch.cat([norm.deviation for norm in norms]).square()
    wanted = (incoming @ gamma.T) / (incoming @ spread.T).sqrt() / together.abs()
    common = wanted.nan_to_num(nan=torch.inf).amin(dim=1)
    signed = torch.where(incoming @ lengths < 0, -common, common)
    usable = (share > 0) & common.isfinite() & (common > 0) & (incoming.count_nonzero(1) > 1)
    return torch.where(usable[:, None], incoming * lengths / signed[:, None], incoming)


def merged(
    norm: Affine, incoming: torch.Tensor, carried: torch.Tensor, bias: torch.Tensor
) -> Affine:
    """Give the norm of merged neurons.

    Its bias is such that the neuron's is the mean of the folded ones, ``beta + (b - mean) gamma /
    sigma``; its mean is the merged neuron's own, exactly, for means are linear; its gamma is the
    mean |gamma| of the members. What the merged sum's deviation truly is does not follow from
    the members' and is for re-estimation; until then sigma is what keeps the folded scale.

    Args:
        norm: The members' norm, shapes (columns, n).
        incoming: The members' shares, shape (m, n).
        carried: How the weights combined, shape (m, n).
        bias: The members' biases, shape (n,).
    """
    # The mean of the members' scales; weights that were scaled by r_i / r count by its size.
    scale = _mixed(norm.scale, incoming * carried.sign()) / carried.abs().sum(dim=1)
    size, spread = _mixed(norm.gamma.abs(), incoming), _mixed(norm.deviation**2, incoming).sqrt()
    alive = scale.abs() * spread > _CANCELLED * size
    gamma = torch.where(alive, scale.sign() * size, scale * spread)
    deviation = torch.where(alive, size / scale.abs(), spread)
    mean, seen = _mixed(norm.mean, carried), _mixed(norm.scale * bias + norm.shift, incoming)
    beta = seen - scale * (carried @ bias - mean)
    if not norm.learns:
        mean, beta = mean - beta / scale, torch.zeros_like(beta)
    variance = (deviation.square() - norm.eps).clamp(min=0)
    return _alone_kept(Affine(gamma, beta, mean, variance, norm.eps, norm.learns), norm, incoming)


def _signed_lengths(scales: torch.Tensor, signs: bool) -> torch.Tensor:
    lengths = scales.norm(dim=0)
    return torch.where(scales[0] < 0, -lengths, lengths) if signs else lengths


def _mixed(values: torch.Tensor, matrix: torch.Tensor) -> torch.Tensor:
    return values @ matrix.T


def _alone_kept(new: Affine, old: Affine, incoming: torch.Tensor) -> Affine:
    """Leave clusters of one as they are, to the last bit."""
    alone = incoming.count_nonzero(1) == 1
    member = incoming.argmax(1)

    def kept(ours: torch.Tensor, theirs: torch.Tensor) -> torch.Tensor:
        return torch.where(alone, theirs[:, member], ours)

    return replace(
        new,
        gamma=kept(new.gamma, old.gamma),
        beta=kept(new.beta, old.beta),
        mean=kept(new.mean, old.mean),
        variance=kept(new.variance, old.variance),
    )
