"""A client that asks back: what a robot says when several things fit, or none, and what it makes of the answer.

Plain rclpy over the service ~/segment. `find` goes through questions until one thing is FOUND or the person has nothing more to say;
`say` is given each question and returns the person's answer, or None.
"""

from builtin_interfaces.msg import Duration
from referseg.msg import Segmentation
from referseg.srv import Segment

QUESTIONS = 3  # asked back at most


def side(box, width):
    """Where a box is, in words."""
    middle = (box.x_offset + box.width / 2) / width
    return "on the left" if middle < 0.4 else "on the right" if middle > 0.6 else "in the middle"


class Asker:
    """Finds what a person means, with questions."""

    def __init__(self, node, spin_until):
        self.client, self.spin_until = node.create_client(Segment, "referseg/segment"), spin_until

    def look(self, text):
        call = self.client.call_async(Segment.Request(text=text, next_frame=True, timeout=Duration(sec=30)))
        self.spin_until(call.done)
        return call.result().result

    def question(self, answer):
        """What to ask after an answer that is not FOUND."""
        if answer.status == Segmentation.AMBIGUOUS:
            boxes = [thing.box for thing in answer.best[:2]] if len(answer.best) > 1 else [answer.box]
            places = [side(box, answer.mask.width) for box in boxes]
            if len(set(places)) == 1 and len(boxes) == 2:  # both on one side: tell them apart by which is further left
                places = ["further left", "further right"] if boxes[0].x_offset < boxes[1].x_offset else ["further right", "further left"]
            return f"I see several that may be {answer.target}: one {' and one '.join(places)}. Which one?"
        if answer.status == Segmentation.NOT_FOUND:
            return f"I don't see {answer.target or 'that'}. What does it look like?"
        return f"I can't look right now: {answer.reason}. Shall I try again?"

    def find(self, text, say):
        """The last answer, and the questions that led to it."""
        questions = []
        answer = self.look(text)
        while answer.status != Segmentation.FOUND and len(questions) < QUESTIONS:
            question = self.question(answer)
            said = say(question, answer)
            questions.append((question, said))
            if said is None:
                break
            text = self.combined(text, said, answer)
            answer = self.look(text)
        return answer, questions

    @staticmethod
    def combined(text, said, answer):
        """The command with what the person added: a place completes it, another name takes the place of the old one."""
        if answer.status == Segmentation.AMBIGUOUS and said.split()[0] in ("the", "on", "in"):
            words = said.removeprefix("the one ").removeprefix("the ")
            return f"{text} {words}" if words.split()[0] in ("on", "in", "closest", "farthest", "next") else f"{text}, the {words}"
        return said
