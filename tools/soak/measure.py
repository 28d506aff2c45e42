"""What is measured of a process: memory, file descriptors, threads, over its life."""

import pathlib
import time

# the first part of a life: models are loaded, caches filled
WARM_UP = 60.0


class Life:
    """One process of the node, sampled."""

    def __init__(self, pid):
        self.pid, self.began, self.samples = pid, time.monotonic(), []

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

    def warm(self):
        return [sample for sample in self.samples if sample[0] >= min(WARM_UP, self.samples[-1][0] / 3)] if self.samples else []

    def slope(self):
        """Growth of resident memory after the warm-up, MB an hour: least squares."""
        warm = self.warm()
        if len(warm) < 3:
            return 0.0
        times, values = [sample[0] / 3600.0 for sample in warm], [sample[1] for sample in warm]
        middle, mean = sum(times) / len(times), sum(values) / len(values)
        spread = sum((at - middle) ** 2 for at in times)
        return sum((at - middle) * (value - mean) for at, value in zip(times, values)) / spread if spread else 0.0

    def tenths(self):
        """The median of resident memory in each tenth of the warm samples, MB: growth is told from a step by it."""
        values = [sample[1] for sample in self.warm()]
        parts = [values[len(values) * n // 10 : len(values) * (n + 1) // 10] for n in range(10)]
        return [round(sorted(part)[len(part) // 2]) for part in parts if part]

    def halves(self, column):
        """The median in the first and in the second half of the warm samples: while latched messages are fetched there is a second
        DDS participant, with 16 files and 8 threads of its own."""
        values = [sample[column] for sample in self.warm() if sample[column] is not None]
        halves = values[: len(values) // 2], values[len(values) // 2 :]
        return tuple(sorted(half)[len(half) // 2] if half else 0 for half in halves)

    def summary(self):
        warm = self.warm()
        if not warm:
            return {}
        return {
            "minutes": round(self.samples[-1][0] / 60.0, 1),
            "resident_mb": [round(min(sample[1] for sample in warm), 1), round(max(sample[1] for sample in warm), 1)],
            "resident_slope_mb_per_hour": round(self.slope(), 2),
            "resident_mb_median_of_each_tenth": self.tenths(),
            "file_descriptors_first_and_second_half": self.halves(2),
            "threads_first_and_second_half": self.halves(3),
            "dds_endpoints_first_and_second_half": self.halves(4),
        }
