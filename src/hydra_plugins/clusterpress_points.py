"""The sweeper of clusterpress: a list of points. Hydra takes plugins only from this namespace.

Hydra imports this module in every program that it starts, so it imports nothing of clusterpress.
"""

from collections.abc import Sequence

from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class Points(Sweeper):
    """Hands all points, of a suite or of a product, to the launcher that the config chooses."""

    launcher: Launcher

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Build the launcher; Hydra calls this."""
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> Sequence[JobReturn]:
        """Launch the product of the overrides' values; Hydra calls this for ``--multirun``."""
        from clusterpress.runs.compose import sweep_points

        return self.launch(sweep_points(arguments))

    def launch(self, points: Sequence[Sequence[str]]) -> Sequence[JobReturn]:
        """Launch a list of points, numbered from 0.

        Args:
            points: Overrides of each.
        """
        returned: Sequence[JobReturn] = self.launcher.launch([list(each) for each in points], 0)
        return returned
