"""Jobs as Ray tasks: done wherever the cluster has room, done again when the worker or its machine is lost."""

import os
import time

from referseg_fleet import server

# often enough for machines that are taken away (spot instances), and not for ever for an input that kills the process
RETRIES = 5


def _do(binary, threads, arguments):
    began = time.monotonic()
    ended = server.do(binary, threads, arguments)
    ended["seconds"] = time.monotonic() - began
    ended["worker"] = os.getpid()
    return ended


def connect(address, workers):
    """Joins a cluster, or starts one on this machine with so many workers (all its processors, if None)."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray

    if address:
        # a program that has joined already may call this one
        ray.init(address=address, log_to_driver=False, ignore_reinit_error=True)
    else:
        ray.init(num_cpus=workers, include_dashboard=False, log_to_driver=False)
    return ray


def run(ray, jobs, binary, cpus, gpus, on_end):
    """Does jobs, a name and its arguments each. `on_end` hears each one's name and how it ended, in any order."""
    options = {"num_cpus": cpus, "num_gpus": gpus, "max_retries": RETRIES, "retry_exceptions": [server.Died]}
    remote = ray.remote(**options)(_do)
    waiting = list(reversed(jobs))
    # so many at once that no worker waits, and a driver of a hundred thousand jobs stays small
    most = max(8, 4 * int(ray.cluster_resources().get("CPU", 1)))
    running = {}
    while waiting or running:
        while waiting and len(running) < most:
            name, arguments = waiting.pop()
            running[remote.remote(binary, max(1, int(cpus)), arguments)] = name
        ended, _ = ray.wait(list(running), num_returns=1)
        for reference in ended:
            name = running.pop(reference)
            try:
                result = ray.get(reference)
            except ray.exceptions.RayError as error:
                cause = str(getattr(error, "cause", None) or error).strip().splitlines()[-1]
                result = {"status": 2, "output": "", "error": f"lost {RETRIES + 1} times: {cause}", "seconds": 0, "worker": 0}
            on_end(name, result)
