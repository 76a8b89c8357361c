"""What a stage's step is given: training images in a seeded order, normalised, not augmented."""

import torch
from torch import nn

from clusterpress.runs.plan import plan
from clusterpress.runs.stages import Stages
from clusterpress.runs.store import Store
from clusterpress.steps import MergeNeurons


def test_a_step_gets_all_training_images_once_in_an_order_of_its_own(short):
    checked = plan(short("data=digits"))
    stages = Stages(checked, Store(checked.store))
    first, again = (torch.cat(list(stages._context(1).batches())) for _ in range(2))
    other = torch.cat(list(stages._context(2).batches()))
    images = stages.images.normalize(stages.images.train.images)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert not torch.equal(first, images)
    assert first.dtype == torch.float32
    torch.testing.assert_close(first.double().sum(0), images.double().sum(0))


def test_a_merged_network_has_its_norms_estimated_from_them(short):
    checked = plan(short("data=digits"))
    stages = Stages(checked, Store(checked.store))
    context = stages._context(1)
    channels = context.example.shape[1]
    network = nn.Sequential(
        nn.Conv2d(channels, 8, 5), nn.BatchNorm2d(8), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    )
    network.append(nn.Linear(8, 10))
    MergeNeurons(0.5, reestimate=True).apply(network, context)
    assert context.facts["reestimation_images"] == len(stages.images.train)
    sums = network[0](stages.images.normalize(stages.images.train.images))
    torch.testing.assert_close(network[1].running_mean, sums.mean((0, 2, 3)), rtol=0.05, atol=1e-2)
