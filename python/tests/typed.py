"""What mypy checks of the stubs: this file is not run."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import referseg


def grasp(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_] | None:
    segmenter = referseg.Segmenter(Path("models/demo"), proposals="regions")
    frame = segmenter.encode(picture, depth=np.zeros(picture.shape[:2], np.float32), intrinsics=(1.0, 1.0, 0.0, 0.0))
    answer = segmenter.answer(frame, "the red mug")
    if answer.status is not referseg.Status.FOUND or answer.box is None:
        return None
    width: int = answer.box["width"]
    return answer.mask if width else None
