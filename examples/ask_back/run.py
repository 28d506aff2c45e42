"""Starts the simulated table and referseg_node, asks for things that are there twice or not at all, and counts what was understood; run.sh calls it.

The person is simulated: she knows which thing she means and where it stands. Of several candidates she takes the one that is hers, by turns with
the phrase that the robot used for it and with a side ("the left one"); to a question about one thing she says yes or its right name.
"""

import json
import pathlib
import sys

from rclpy.qos import DurabilityPolicy, QoSProfile
from referseg.msg import Segmentation
from std_msgs.msg import String

EXAMPLES = pathlib.Path(__file__).resolve().parents[1]
sys.path += [str(EXAMPLES / "shared"), str(EXAMPLES / "pick")]
from ask_back import Asker  # noqa: E402
from programs import Film, Programs, scene_arguments  # noqa: E402
from scene import COLOURS  # noqa: E402


class Person:
    """Means one thing of the table; answers questions about it."""

    def __init__(self, things, pixels, seed):
        self.things, self.pixels = things, pixels
        twice = [at for at, name in enumerate(things) if things.count(name) > 1]
        # by turns: one of two alike, or a thing that she names by a colour that is not there
        self.is_misnamed = seed % 2 == 1 or not twice
        self.meant = twice[seed // 2 % len(twice)] if not self.is_misnamed else seed % len(things)
        name = things[self.meant]
        absent = next(colour for colour in COLOURS if not any(thing.startswith(colour) for thing in things))
        self.text = f"pick up the {absent} {name.split()[1]}" if self.is_misnamed else f"pick up the {name}"
        self.said = []

    def say(self, question, answer):
        hers = [candidate for candidate in answer.candidates if self.is_in(candidate.box)]
        name = self.things[self.meant]
        if len(answer.candidates) == 1:
            said = "yes" if hers else f"no, the {name}"
        elif not hers:
            said = f"the {name}"
        elif len(answer.candidates) == 2 and self.meant % 2 == 0:
            said = "the left one" if hers[0] is answer.candidates[0] else "the right one"
        else:
            said = hers[0].phrase
        if said in self.said:
            return None  # she has nothing more to say
        self.said.append(said)
        return said

    def is_in(self, box):
        column, row = self.pixels[self.meant]
        return box.x_offset - 3 <= column <= box.x_offset + box.width + 3 and box.y_offset - 3 <= row <= box.y_offset + box.height + 3

    def is_hers(self, answer):
        return self.is_in(answer.box)


def main():
    arguments = scene_arguments(__doc__).parse_args()
    understood, unasked = 0, 0
    with Programs(EXAMPLES / "pick" / "scene.py", "ask_back", ["image:=camera/image"]) as programs:
        node, truths = programs.node, []
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        node.create_subscription(String, "truth", lambda message: truths.append(json.loads(message.data)), latched)
        scene, asker = node.create_publisher(String, "scene", 1), Asker(node, programs.spin_until)
        film = Film(node, "referseg/overlay", arguments.picture, every=1)
        programs.spin_until(lambda: scene.get_subscription_count() and asker.client.service_is_ready())
        for seed in range(arguments.seed, arguments.seed + arguments.scenes):
            truths.clear()
            scene.publish(String(data=json.dumps({"seed": seed, "twice": True})))
            programs.spin_until(lambda: truths and truths[-1]["seed"] == seed)
            person = Person(truths[-1]["things"], truths[-1]["pixels"], seed)
            asker.look("anything")  # pictures of the table before are on their way still
            answer, questions = asker.find(person.text, person.say)
            good = answer.status == Segmentation.FOUND and person.is_hers(answer)
            understood += good
            unasked += good and not questions
            print(f"scene {seed}: {', '.join(truths[-1]['things'])}\n  person: {person.text}")
            for question, said in questions:
                print(f"  robot:  {question}\n  person: {said or '(nothing)'}")
            print("  " + ("the right one" if good else f"not understood ({answer.reason or 'another thing'})"), flush=True)
            programs.spin_until(lambda: False, limit=0.3, otherwise=True)
        film.write()
    print(f"{understood} of {arguments.scenes} understood, {unasked} of them without a question")
    return 0 if understood == arguments.scenes else 1


if __name__ == "__main__":
    sys.exit(main())
