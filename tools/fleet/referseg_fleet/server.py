"""A running `referseg serve --stdio`: jobs go in, one after the other; weights are loaded once."""

import json
import os
import subprocess


class Died(Exception):
    """The process ended within a job."""


class Server:
    def __init__(self, binary, threads):
        environment = dict(os.environ, RAYON_NUM_THREADS=str(threads))
        command = [binary, "serve", "--stdio"]
        # it ends when this process does: its input is closed then
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)

    def do(self, arguments):
        """Does a job; gives its `status`, `output` and `error`."""
        try:
            self._process.stdin.write(json.dumps(arguments) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise Died(f"referseg ended with {self._process.wait()} within {arguments}")
        return json.loads(line)


    def end(self):
        """Ends the process, which waits for its next job."""
        self._process.stdin.close()
        self._process.wait()


_servers = {}


def do(binary, threads, arguments):
    """Does a job in this process's server, which is started if it does not run."""
    # Ray gives a worker that is used again other GPUs
    key = (binary, threads, os.environ.get("CUDA_VISIBLE_DEVICES"))
    if key not in _servers:
        for other in list(_servers):
            _servers.pop(other).end()
        _servers[key] = Server(binary, threads)
    try:
        return _servers[key].do(arguments)
    except Died:
        del _servers[key]
        raise
