"""Makes the shipped recording: a rosbag2 bag (MCAP, zstd) of camera images over a filmed scene, with the true
label images beside it.

    cargo build --release -p scenes
    target/release/scenes --out FILM --count 2504 --seed 33 --width 640 --height 480 --rays 2 --frames 10
    pip install rosbags==0.11.9 numpy pillow
    python tools/make_recording.py --film FILM --skip 4 --out tests/data/recording
"""

import argparse
import glob
import json
import pathlib
import shutil

import numpy as np
from PIL import Image as Picture
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

START, PERIOD = 1_700_000_000_000_000_000, 200_000_000  # nanoseconds
COMMANDS = ["pick up the red mug", "hand me the orange box", "go to the brown ring"]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--film", required=True)
    p.add_argument("--out", required=True)
    p.add_argument("--skip", type=int, default=0, help="first frames to leave out")
    args = p.parse_args()
    out = pathlib.Path(args.out)
    shutil.rmtree(out, ignore_errors=True)
    (out / "truth").mkdir(parents=True)
    store = get_typestore(Stores.ROS2_JAZZY)
    Image, Header, Time = (store.types[f"{n}"] for n in
                           ("sensor_msgs/msg/Image", "std_msgs/msg/Header", "builtin_interfaces/msg/Time"))
    writer = Writer(out / "bag", version=9, storage_plugin=StoragePlugin.MCAP)
    writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
    with writer:
        connection = writer.add_connection("/camera/image_raw", Image.__msgtype__, typestore=store)
        frames = sorted(f for f in glob.glob(f"{args.film}/*.png") if not f.endswith("_ids.png"))
        for n, path in enumerate(frames[args.skip :]):
            stamp = START + n * PERIOD
            rgb = np.asarray(Picture.open(path).convert("RGB"))
            header = Header(stamp=Time(sec=stamp // 10**9, nanosec=stamp % 10**9), frame_id="camera_color_optical_frame")
            message = Image(header=header, height=rgb.shape[0], width=rgb.shape[1], encoding="rgb8", is_bigendian=0,
                            step=rgb.shape[1] * 3, data=rgb.reshape(-1))
            writer.write(connection, stamp, store.serialize_cdr(message, Image.__msgtype__))
            shutil.copy(path.replace(".png", "_ids.png"), out / "truth" / f"{stamp}.png")
    objects = json.loads(open(f"{args.film}/scenes.jsonl").readline())["objects"]
    asked = []
    for text in COMMANDS:
        (target,) = [o["id"] for o in objects if f"{o['colour']} {o['category']}" in text]
        asked.append(dict(text=text, target=target))
    (out / "commands.json").write_text(json.dumps(asked, indent=1) + "\n")


if __name__ == "__main__":
    main()
