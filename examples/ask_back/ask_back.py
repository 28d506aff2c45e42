"""A client that asks back: what a robot says when several objects fit, or none, and what it makes of the reply.

Plain rclpy over the service ~/segment. The node finds the questions and understands the replies, for all requests of one conversation.
`find` goes through questions until one object is FOUND or the person has nothing more to say; `say` is given each question with the
answer that led to it, and returns the person's reply, or None.
"""

from uuid import uuid4

from builtin_interfaces.msg import Duration
from referseg.msg import Segmentation
from referseg.srv import Segment

QUESTIONS = 3  # asked back at most


class Asker:
    """Finds what a person means, with questions."""

    def __init__(self, node, spin_until):
        self.client, self.spin_until = node.create_client(Segment, "referseg/segment"), spin_until

    def look(self, text, conversation=""):
        request = Segment.Request(text=text, conversation=conversation, next_frame=True, timeout=Duration(sec=30))
        call = self.client.call_async(request)
        self.spin_until(call.done)
        return call.result().result

    def find(self, text, say):
        """The last answer, and the questions with their replies that led to it."""
        questions, conversation = [], uuid4().hex
        answer = self.look(text, conversation)
        while answer.status != Segmentation.FOUND and len(questions) < QUESTIONS:
            question = answer.question or f"I can't find that: {answer.reason}. What do you mean?"
            said = say(question, answer)
            questions.append((question, said))
            if said is None:
                break
            answer = self.look(said, conversation)
        return answer, questions
