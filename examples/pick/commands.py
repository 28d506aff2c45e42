"""Commands for a table: by name, by order ("the second cube from the left") and by place ("the leftmost ball"), and which
thing each means."""

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
