"""What is measured of a process: memory, file descriptors, threads, over its life."""

import pathlib
import time

# the first part of a life: models are loaded, caches filled
WARM_UP = 60.0
# samples follow each other; means over so many seconds hardly do
BLOCK = 180.0


def growth(points):
    """The slope of (seconds, MB), MB an hour, and its standard error: least squares."""
    if len(points) < 4:
        return 0.0, 0.0
    times, values = [at / 3600.0 for at, _ in points], [value for _, value in points]
    middle, mean = sum(times) / len(times), sum(values) / len(values)
    spread = sum((at - middle) ** 2 for at in times)
    slope = sum((at - middle) * (value - mean) for at, value in zip(times, values)) / spread
    rest = sum((value - mean - slope * (at - middle)) ** 2 for at, value in zip(times, values))
    return slope, (rest / (len(points) - 2) / spread) ** 0.5


class Life:
    """One process of the node, sampled."""

    def __init__(self, pid):
        self.pid, self.began, self.samples, self.rests = pid, time.monotonic(), [], []

    def sample(self, endpoints):
        """Notes the numbers of now; `endpoints`: DDS endpoints of the node, None while it changes its state."""
        folder = pathlib.Path(f"/proc/{self.pid}")
        try:
            status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
            files = len(list((folder / "fd").iterdir()))
        except (FileNotFoundError, ProcessLookupError):
            return
        resident, threads = int(status["VmRSS"].split()[0]) / 1024.0, int(status["Threads"])
        self.samples.append((time.monotonic() - self.began, resident, files, threads, endpoints))

    def rest(self):
        """Notes the memory of a node without a model: what is there then and grows, was lost."""
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        self.rests.append((time.monotonic() - self.began, int(status.split("VmRSS:")[1].split()[0]) / 1024.0))

    def warm(self):
        return [sample for sample in self.samples if sample[0] >= min(WARM_UP, self.samples[-1][0] / 3)] if self.samples else []

    def growth(self):
        """Of resident memory after the warm-up, of means over a few minutes."""
        blocks = {}
        for at, resident, *_ in self.warm():
            blocks.setdefault(at // BLOCK, []).append((at, resident))
        return growth([tuple(sum(column) / len(block) for column in zip(*block)) for block in blocks.values()])

    def halves(self, column):
        """The largest value in the first and in the second half of the warm samples."""
        values = [sample[column] for sample in self.warm() if sample[column] is not None]
        half = len(values) // 2
        return (max(values[:half], default=0), max(values[half:], default=0))

    def summary(self):
        warm = self.warm()
        if not warm:
            return {}
        return {
            "minutes": round(self.samples[-1][0] / 60.0, 1),
            "resident_mb": [round(min(sample[1] for sample in warm), 1), round(max(sample[1] for sample in warm), 1)],
            "resident_growth_mb_per_hour_and_error": [round(value, 1) for value in self.growth()],
            "unconfigured_mb": [round(value, 1) for _, value in self.rests],
            "unconfigured_growth_mb_per_hour_and_error": [round(value, 1) for value in growth(self.rests[1:])],
            "file_descriptors_first_and_second_half": self.halves(2),
            "threads_first_and_second_half": self.halves(3),
            "dds_endpoints_first_and_second_half": self.halves(4),
        }
