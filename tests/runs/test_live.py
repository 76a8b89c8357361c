"""The table on a terminal, and plain lines where there is none."""

import os
import subprocess
import sys

SCRIPT = """
import subprocess, sys, time
from pathlib import Path
from clusterpress.runs import live
from clusterpress.runs.announced import announced
from clusterpress.runs.store import Store

live.SECONDS = 0.1
store = Store(Path(sys.argv[1]))
with announced(store, "reproduce x", [("a", "run a"), ("b", "run b")]), live.live_status(store):
    print("from the driver", flush=True)
    subprocess.run([sys.executable, "-c", "print('from a worker')"])
    subprocess.run([sys.executable, "-c", "import sys; print('a warning', file=sys.stderr)"])
    time.sleep(1)
    store.run("a").mkdir()
    time.sleep(0.5)
    orphan = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print("after it", flush=True)
orphan.kill()
"""
SAID = ("from the driver", "from a worker", "a warning", "after it")


def shown(store):
    """What a terminal gets."""
    own, other = os.openpty()
    child = subprocess.Popen([sys.executable, "-c", SCRIPT, store], stdout=other, stderr=other)
    os.close(other)
    read = b""
    try:
        while part := os.read(own, 65536):
            read += part
    except OSError:  # Its other end is closed.
        pass
    os.close(own)
    assert child.wait(60) == 0
    return read.decode()


def test_a_terminal_shows_the_table_and_every_line(tmp_path):
    text = shown(str(tmp_path))
    assert "of 2 runs 0 done, 2 waiting" in text
    assert "of 2 runs 1 done, 1 waiting" in text
    for line in SAID:
        assert text.count(line) == 1
    assert text.rstrip().endswith("after it")


def test_where_no_terminal_is_there_are_only_the_lines(tmp_path):
    command = [sys.executable, "-c", SCRIPT, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split("\n") == ["from the driver", "from a worker", "after it", ""]
    assert done.stderr == "a warning\n"
