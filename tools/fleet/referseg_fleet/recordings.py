"""A recording: a folder that rosbag2 wrote, or one file. Found by patterns, each with a name that no other has."""

import glob
import os
import pathlib

ENDINGS = (".mcap", ".db3", ".bag")


def _is_file_of_recording(path):
    name = path.name.lower()
    for compressed in (".zstd", ".zst"):
        name = name.removesuffix(compressed)
    return path.is_file() and name.endswith(ENDINGS)


def _is_folder_of_rosbag2(path):
    if (path / "metadata.yaml").is_file():
        return True
    # a recorder that was killed leaves FOLDER/FOLDER_0.mcap and no metadata
    files = [one for one in path.iterdir() if _is_file_of_recording(one)]
    return bool(files) and all(one.name.startswith(f"{path.name}_") for one in files)


def discover(patterns, leave_out=None):
    """The recordings that match the patterns (`**` is any number of folders), sorted; none below `leave_out`."""
    found = set()
    for pattern in patterns:
        path = os.path.expanduser(pattern)
        # a path that exists is meant as it is, with its brackets
        matches = [path] if os.path.exists(path) else glob.glob(path, recursive=True)
        if not matches:
            raise ValueError(f"{pattern}: matches nothing; expected folders of rosbag2, or .mcap, .db3 or .bag files")
        for match in matches:
            path = pathlib.Path(match).resolve()
            if path.is_dir():
                if _is_folder_of_rosbag2(path):
                    found.add(path)
            elif _is_file_of_recording(path):
                found.add(path.parent if _is_folder_of_rosbag2(path.parent) else path)
    if leave_out is not None:
        leave_out = pathlib.Path(leave_out).resolve()
        found = {path for path in found if leave_out not in [path, *path.parents]}
    if not found:
        raise ValueError(f"{', '.join(patterns)}: no recording; expected folders of rosbag2, or .mcap, .db3 or .bag files")
    return sorted(found)


def names(recordings):
    """The name of each: its path below what all have in common."""
    common = os.path.commonpath([path.parent for path in recordings])
    return {path: path.relative_to(common).as_posix() for path in recordings}


def state(recording):
    """What changes when a recording does: its files with their sizes and times."""
    files = [recording] if recording.is_file() else sorted(one for one in recording.iterdir() if one.is_file())
    return [[one.name, one.stat().st_size, one.stat().st_mtime_ns] for one in files]
