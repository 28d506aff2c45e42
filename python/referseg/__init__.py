"""Find the thing that a person named in an image: referring image segmentation.

    segmenter = referseg.Segmenter("models/demo")
    answer = segmenter.segment(image, "the red mug behind the laptop")
    if answer.status is referseg.Status.FOUND:
        grasp(answer.mask)

Images are numpy arrays uint8 [h, w, 3] (RGB), PIL pictures, or paths of files; masks and boxes are in image pixels. Work runs without the
interpreter's lock; threads may share a segmenter.
"""

from __future__ import annotations

import enum
import io
import json
from typing import Any

from . import _referseg
from ._referseg import BadCommand, BadImage, BadModel, BadSetting, Conversation as _Conversation, Frame, RefersegError, __version__, parse

__all__ = ["Answer", "BadCommand", "BadImage", "BadModel", "BadSetting", "Conversation", "Frame", "RefersegError", "Segmenter", "Status", "parse", "__version__"]


class Status(enum.Enum):
    """What became of a command."""

    FOUND = "FOUND"
    NOT_FOUND = "NOT_FOUND"
    AMBIGUOUS = "AMBIGUOUS"
    ERROR = "ERROR"


def _picture(image: Any) -> Any:
    """An array or a path as it is, and a PIL picture as an array."""
    if hasattr(image, "convert") and hasattr(image, "getbands"):
        import numpy

        return numpy.asarray(image.convert("RGB"))
    return image


class Answer:
    """What was found for a command on an image; masks and boxes are in image pixels."""

    __slots__ = ("_answer",)

    def __init__(self, answer: _referseg.Answer) -> None:
        self._answer = answer

    @property
    def status(self) -> Status:
        return Status(self._answer.value("status"))

    @property
    def reason(self) -> str:
        """In words, why the status is what it is."""
        return self._answer.value("reason")

    @property
    def target(self) -> str:
        """The noun phrase that was looked for."""
        return self._answer.value("target")

    @property
    def reading(self) -> str:
        """How the command was read, in one line."""
        return self._answer.value("reading")

    @property
    def roles(self) -> dict[str, Any] | None:
        """What the words play: verb, target, destination (docs/language.md)."""
        return self._answer.value("roles")

    @property
    def score(self) -> float:
        """Score of the best object: with guidance full the probability that all that was said holds, 0..1."""
        return self._answer.value("score")

    @property
    def margin(self) -> float:
        """Its lead over the next one, 0..1."""
        return self._answer.value("margin")

    @property
    def box(self) -> dict[str, int] | None:
        """Box of all that was found: x, y, width, height in image pixels; None when nothing was."""
        return self._answer.value("box")

    @property
    def destination(self) -> dict[str, Any] | None:
        """Where the target shall go: status, reason, relation, anchors, point and box in image pixels; None when the command does not say."""
        return self._answer.value("destination")

    @property
    def question(self) -> str | None:
        """What to ask back; None when nothing is open."""
        return self._answer.value("question")

    @property
    def candidates(self) -> list[dict[str, Any]]:
        """The objects that the question is about: phrase, score and box of each."""
        return self._answer.value("candidates")

    @property
    def terms(self) -> list[dict[str, Any]]:
        """Scoring terms of the best objects."""
        return self._answer.value("terms")

    @property
    def times(self) -> dict[str, float]:
        """Milliseconds of each stage."""
        return self._answer.value("times_ms")

    @property
    def mask(self) -> Any:
        """All that was found: bool [h, w]."""
        return self._answer.mask

    @property
    def things(self) -> list[dict[str, Any]]:
        """Each thing found, best first: score, box, refined and mask, bool [h, w]."""
        return self._answer.things

    @property
    def point(self) -> tuple[float, float] | None:
        """Middle of the box of the best thing, (x, y); None when nothing was found."""
        return self._answer.point

    def overlay(self) -> Any:
        """The image with the answer drawn on it: uint8 [h, w, 3]."""
        return self._answer.overlay()

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain dicts and lists: the object that `referseg segment --json` prints."""
        return self._answer.as_dict()

    def __repr__(self) -> str:
        return repr(self._answer)

    def _repr_png_(self) -> bytes | None:
        """In a notebook: the overlay."""
        try:
            from PIL import Image
        except ImportError:
            return None
        file = io.BytesIO()
        Image.fromarray(self._answer.overlay()).save(file, "PNG")
        return file.getvalue()


class Conversation:
    """Commands of which each is heard in the light of those before: "the mug", "the left one", "no, the other one"."""

    def __init__(self, segmenter: Segmenter) -> None:
        self._segmenter = segmenter
        self._conversation: _Conversation = segmenter._segmenter.conversation()

    def say(self, image: Any, text: str, **given: Any) -> Answer:
        """Answers what is said next, on the image as it is now: an encoded `Frame`, or an image with `masks` and `depth` as for `encode`."""
        frame = image if isinstance(image, Frame) else self._segmenter.encode(image, **given)
        return Answer(self._conversation.say(frame, text))

    @property
    def state(self) -> str:
        return self._conversation.state

    def clear(self) -> None:
        """Forgets all that was said."""
        self._conversation.clear()

    def __repr__(self) -> str:
        return repr(self._conversation)


class Segmenter:
    """A loaded model with its settings.

    `settings` are the keys of the configuration (config/referseg.yaml): keywords, nested dicts, or dotted keys in a dict
    (`**{"proposals.limit": 20}`). A string for `proposals` is the generator's name.
    """

    def __init__(self, model: Any = None, *, config: Any = None, **settings: Any) -> None:
        nested: dict[str, Any] = {}
        for key, value in settings.items():
            if key == "proposals" and isinstance(value, str):
                key, value = "proposals.generator", value
            *path, last = key.split(".")
            place = nested
            for part in path:
                place = place.setdefault(part, {})
            if isinstance(value, dict) and isinstance(place.get(last), dict):
                place[last].update(value)
            else:
                place[last] = value
        # JSON is YAML
        self._segmenter = _referseg.Segmenter(model, config, json.dumps(nested, default=str))

    @classmethod
    def from_yaml(cls, path: Any, **settings: Any) -> Segmenter:
        """Opens the model that a configuration file names; other settings stand above it."""
        return cls(None, config=path, **settings)

    def segment(self, image: Any, text: str, **given: Any) -> Answer:
        """Finds what a command means in an image. For `masks` and `depth` see `encode`."""
        return Answer(self._segmenter.segment(_picture(image), text, **given))

    def encode(self, image: Any, **given: Any) -> Frame:
        """Encodes an image once, for many commands.

        masks: bool [n, h, w], or a label image uint32 [h, w]; then these are the objects.
        depth: float32 [h, w] in metres, or uint16 in units of `depth_scale` metres; with `intrinsics` (fx, fy, cx, cy) distances are metric.
        """
        return self._segmenter.encode(_picture(image), **given)

    def answer(self, frame: Frame, text: str) -> Answer:
        """Answers a command on an encoded image."""
        return Answer(self._segmenter.answer(frame, text))

    def proposals(self, image: Any) -> list[dict[str, Any]]:
        """The proposals of an image: dicts with mask (bool [h, w]), box and quality."""
        return self._segmenter.proposals(_picture(image))

    @property
    def device(self) -> str:
        return self._segmenter.device

    def __repr__(self) -> str:
        return repr(self._segmenter)
