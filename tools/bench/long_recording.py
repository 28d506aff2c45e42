"""Memory of replay and compare on a recording as large as a day's: 20 GB of images that a few MB on disk stand for.

    pip install mcap==1.6.0 numpy zstandard
    cargo build --release
    python tools/bench/long_recording.py [--gigabytes 20] [--order time|topics] [--binary target/release/referseg]

Writes a recording of 1280x720 rgb8 images (flat shapes that move, so that zstd makes little of them) chunk by chunk,
replays it, compares the answers with those of a second replay, and prints the largest resident memory of each and the
time. Ends with 1 when one of them takes 600 MB or more. --order topics writes the commands behind all images, which
makes replay put 20 GB in order in a temporary file.
"""

import argparse
import os
import pathlib
import resource
import struct
import subprocess
import sys
import tempfile
import time

import numpy as np
from mcap.writer import CompressionType, Writer

WIDTH, HEIGHT = 1280, 720
MOST = 600e6
HEADER = "builtin_interfaces/Time stamp\nstring frame_id\n"
IMAGE = ("std_msgs/Header header\nuint32 height\nuint32 width\nstring encoding\nuint8 is_bigendian\nuint32 step\n"
         "uint8[] data\n" + "=" * 80 + "\nMSG: std_msgs/Header\n" + HEADER)
START = 1_700_000_000
COMMANDS = ["the red box", "the blue box", "the yellow box"]


def text(value):
    data = value.encode() + b"\0"
    return struct.pack("<I", len(data)) + data


def padded(data, size):
    return data + b"\0" * (-len(data) % size)


def image(second, nanosecond, pixels):
    body = struct.pack("<iI", second, nanosecond) + text("eye")
    body = padded(body, 4) + struct.pack("<II", HEIGHT, WIDTH) + text("rgb8") + b"\0"
    body = padded(body, 4) + struct.pack("<II", WIDTH * 3, pixels.nbytes)
    return b"\0\1\0\0" + body + pixels.tobytes()


def scene(number):
    pixels = np.full((HEIGHT, WIDTH, 3), 150, np.uint8)
    for place, colour in enumerate([(200, 20, 20), (30, 60, 200), (220, 200, 30)]):
        x = 100 + 350 * place + (number * 7) % 150
        pixels[250:400, x:x + 180] = colour
    return pixels


def write(path, frames, order):
    with open(path, "wb") as file:
        writer = Writer(file, compression=CompressionType.ZSTD, chunk_size=8 << 20)
        writer.start(profile="ros2", library="tools/bench/long_recording.py")
        images = writer.register_channel("/image", "cdr", writer.register_schema("sensor_msgs/msg/Image", "ros2msg", IMAGE.encode()))
        words = writer.register_channel("/command", "cdr", writer.register_schema("std_msgs/msg/String", "ros2msg", b"string data\n"))
        at = lambda number: START * 10**9 + number * 33_000_000
        commands = [(number, f"{COMMANDS[number // 500 % 3]}") for number in range(0, frames, 500)]

        def say(number, said):
            writer.add_message(words, log_time=at(number) - 1, publish_time=at(number), data=b"\0\1\0\0" + text(said))
        for number in range(frames):
            if order == "time" and number % 500 == 0:
                say(*commands[number // 500])
            second, nanosecond = divmod(at(number), 10**9)
            data = image(second, nanosecond, scene(number))
            writer.add_message(images, log_time=at(number), publish_time=at(number), data=data)
        if order == "topics":
            for number, said in commands:
                say(number, said)
        writer.finish()


def run(name, command, allowed=(0,)):
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    said = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code not in allowed:
        sys.exit(f"{name} ended with {code}: {said}")
    held = used.ru_maxrss * 1024
    last = said.strip().splitlines()[-1]
    print(f"{name}: {held / 1e6:.0f} MB resident at most, {time.monotonic() - began:.0f} s; {last}", flush=True)
    return held


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", type=float, default=20)
    parser.add_argument("--order", choices=["time", "topics"], default="time")
    parser.add_argument("--binary", default="target/release/referseg")
    parser.add_argument("--every", type=int, default=1, help="answer every n-th frame only")
    arguments = parser.parse_args()
    frames = round(arguments.gigabytes * 1e9 / (WIDTH * HEIGHT * 3))
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        bag, first, second, report = (str(folder / name) for name in ["bag.mcap", "first.mcap", "second.mcap", "report.html"])
        write(bag, frames, arguments.order)
        print(f"{frames} frames, {frames * WIDTH * HEIGHT * 3 / 1e9:.1f} GB, {os.path.getsize(bag) / 1e6:.0f} MB on disk", flush=True)
        replay = [arguments.binary, "replay", bag, "--no-overlays", "--every", str(arguments.every)]
        held = [run("replay", replay + ["--out", first, "--report", report])]
        held += [run("replay of another version", replay + ["--out", second, "--set", "answer.min_score=0.6"])]
        held += [run("compare", [arguments.binary, "compare", first, second, "--report", report], (0, 1))]
        held += [run("bag info", [arguments.binary, "bag", "info", bag])]
        print(f"report: {os.path.getsize(report) / 1e6:.1f} MB")
    if max(held) >= MOST:
        sys.exit(f"{max(held) / 1e6:.0f} MB; expected less than {MOST / 1e6:.0f}")


if __name__ == "__main__":
    main()
