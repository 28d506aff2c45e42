"""Commands for a table: by name, by order ("the second cube from the left") and by place ("the leftmost ball"), and which
thing each means; and commands that say where a thing shall go ("between the can and the ball"), and whether it is there."""

import math

SIDES = ("left", "right")
RANKS = ("first", "second", "third")
# By the picture: u grows to the right, v towards the camera.
PLACES = {"leftmost {}": lambda u, v: u, "rightmost {}": lambda u, v: -u,
          "{} farthest from the camera": lambda u, v: v, "{} closest to the camera": lambda u, v: -v}
KINDS = ("name", "order", "place")
APART = 20  # pixels that an order's neighbours must differ by; closer ones a person would not order either


def alike(kind):
    """How many things of one shape a command of this kind needs on the table."""
    return {"name": 0, "order": 3, "place": 2}[kind]


def clear(values):
    """Whether nobody could doubt the order of these."""
    values = sorted(values)
    return all(b - a >= APART for a, b in zip(values, values[1:]))


def command(kind, seed, names, pixels):
    """The command and the name of what it means, for things with these names at these pixels [u, v]; the first of them share
    a shape if `alike` says so. None where the order could be doubted."""
    if kind == "name":
        return f"pick up the {names[0]}", names[0]
    shape = names[0].split()[1]
    same = [(name, at) for name, at in zip(names, pixels) if name.endswith(shape)]
    if kind == "order":
        side, rank = SIDES[seed % 2], seed // 2 % len(same)
        sign = 1 if side == "left" else -1
        key = lambda one: sign * one[1][0]
        text = f"pick up the {RANKS[rank]} {shape} from the {side}"
    else:
        words, measure = list(PLACES.items())[seed % len(PLACES)]
        key, rank = (lambda one: measure(*one[1])), 0
        text = f"pick up the {words.format(shape)}"
    if not clear([key(one) for one in same]) or len(same) > len(RANKS):
        return None
    return text, sorted(same, key=key)[rank][0]


# Of a vector from the anchor, metres: x to the viewer's right, y away from him.
RELATIONS = {
    "between": None,
    "left of": lambda x, y: x < -0.03 and abs(y) < -x,
    "right of": lambda x, y: x > 0.03 and abs(y) < x,
    "in front of": lambda x, y: y < -0.03 and abs(x) < -y,
    "behind": lambda x, y: y > 0.03 and abs(x) < y,
    "next to": lambda x, y: True,
}
NEAR = 0.19  # metres; farther from its anchor a thing is not "left of" it for a person
REACH = 0.11  # metres from the anchor where the thing would best go
FREE = 0.085  # metres to the middles of other things that the gripper needs around a place
EDGE = (0.19, 0.15)  # metres; beyond it the table is hardly seen


def errand(seed, names, places):
    """A command that the first thing be put somewhere, with the relation and the numbers of its anchors. None on a table where there is no
    room for that, or where a name is said of two things."""
    relation = list(RELATIONS)[seed % len(RELATIONS)]
    if len(set(names)) < len(names) or len(names) < 3:
        return None
    anchors = [1, 2] if relation == "between" else [1]
    at = [places[anchor][:2] for anchor in anchors]
    if relation == "between":
        apart = math.dist(*at)
        ideal = [(at[0][0] + at[1][0]) / 2, (at[0][1] + at[1][1]) / 2]
        if not 2 * FREE < apart < 0.3:
            return None
    else:
        step = {"left of": (-1, 0), "right of": (1, 0), "in front of": (0, -1), "behind": (0, 1), "next to": (1, 0)}[relation]
        ideal = [at[0][0] + REACH * step[0], at[0][1] + REACH * step[1]]
    others = [place[:2] for number, place in enumerate(places) if number not in (0, *anchors)]
    inside = abs(ideal[0]) < EDGE[0] and abs(ideal[1]) < EDGE[1]
    if not inside or any(math.dist(ideal, other) < FREE + 0.02 for other in others):
        return None
    said = " and ".join(f"the {names[anchor]}" for anchor in anchors)
    return f"put the {names[0]} {relation} {said}", relation, anchors


def stands_so(relation, place, anchors):
    """Whether a thing at a place stands in a relation to its anchors; all places in metres, [x, y, ...]."""
    if relation == "between":
        (ax, ay), (bx, by), (x, y) = anchors[0][:2], anchors[1][:2], place[:2]
        length = math.hypot(bx - ax, by - ay)
        along = ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length**2
        across = abs((x - ax) * (by - ay) - (y - ay) * (bx - ax)) / length
        return 0.2 < along < 0.8 and across < 0.05
    x, y = place[0] - anchors[0][0], place[1] - anchors[0][1]
    return math.hypot(x, y) < NEAR and RELATIONS[relation](x, y)
