"""What a stage's step is given: training images in a seeded order, normalised, not augmented."""

import pytest
import torch
from torch import nn

from clusterpress.runs.plan import plan
from clusterpress.runs.stages import Stages
from clusterpress.runs.store import Store
from clusterpress.steps import MergeNeurons
from clusterpress.training import checkpoints
from clusterpress.training.module import Classifier


def test_a_step_gets_all_training_images_once_in_an_order_of_its_own(short):
    checked = plan(short("data=digits"))
    stages = Stages(checked, Store(checked.store))
    first, again = (torch.cat(list(stages.context(1).batches())) for _ in range(2))
    other = torch.cat(list(stages.context(2).batches()))
    images = stages.images.normalize(stages.images.train.images)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert not torch.equal(first, images)
    assert first.dtype == torch.float32
    torch.testing.assert_close(first.double().sum(0), images.double().sum(0))


def test_a_merged_network_has_its_norms_estimated_from_them(short):
    checked = plan(short("data=digits"))
    stages = Stages(checked, Store(checked.store))
    context = stages.context(1)
    channels = context.example.shape[1]
    network = nn.Sequential(
        nn.Conv2d(channels, 8, 5), nn.BatchNorm2d(8), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    )
    network.append(nn.Linear(8, 10))
    MergeNeurons(0.5, reestimate=True).apply(network, context)
    assert context.facts["reestimation_images"] == len(stages.images.train)
    sums = network[0](stages.images.normalize(stages.images.train.images))
    torch.testing.assert_close(network[1].running_mean, sums.mean((0, 2, 3)), rtol=0.05, atol=1e-2)


def test_a_training_that_was_stopped_goes_on_in_its_stage(short, monkeypatch):
    monkeypatch.setattr(checkpoints, "SECONDS", 0.0)
    checked = plan(short("data=digits", "recipe.train.epochs=3"))
    whole = Stages(checked, Store(checked.store / "whole")).result(0)
    stages, begun = Stages(checked, Store(checked.store)), []

    def stop(module):
        begun.append(module.current_epoch)
        if len(begun) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(Classifier, "on_train_epoch_start", stop_after(stop))
    with pytest.raises(BaseException):  # noqa: B017, PT011 - Lightning has its own for Ctrl-C
        stages.result(0)
    state = stages.store.unfinished(checked.stage_ids[0])
    assert {path.name for path in state.iterdir()} == {"0.ckpt", "code.json"}
    again = stages.result(0)
    assert begun == [0, 1, 2, 2]
    assert not state.exists()
    assert again["seconds"] > 0
    assert {**again, "seconds": 0} == {**whole, "seconds": 0}


def stop_after(stop):
    started = Classifier.on_train_epoch_start

    def begin(module):
        stop(module)
        started(module)

    return begin
