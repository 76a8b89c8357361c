"""Steps of somebody else's: one that fails, one that kills its process, one that does so once."""

import os
import signal
from pathlib import Path


class Fails:
    version = 1

    def apply(self, network, context):
        raise RuntimeError("this step never works")


class Kills:
    version = 1

    def __init__(self, flag: str | None = None) -> None:
        self.flag = flag

    def apply(self, network, context):
        if self.flag is None or not Path(self.flag).exists():
            if self.flag is not None:
                Path(self.flag).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return network


class Passes:
    version = 1

    def apply(self, network, context):
        return network
