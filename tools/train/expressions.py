"""Expressions of order, number, negation and likeness, made from a scene's symbols while training.

What `tools/scenes` words are places, relations and superlatives; these cover the rest of the vocabulary.
"""

ORDINALS = ["first", "second", "third", "fourth"]
SIDES = {"left": (0, 1), "right": (0, -1), "front": (1, -1), "back": (1, 1)}


def described(symbol, rng):
    """Words for an object, with what they demand."""
    colour, category = symbol["colour"], symbol["category"]
    draw = rng.random()
    if draw < 0.5:
        return category, lambda s: s["category"] == category
    if draw < 0.75:
        return f"{colour} {category}", lambda s: (s["colour"], s["category"]) == (colour, category)
    return f"{colour} {['object', 'thing'][rng.integers(2)]}", lambda s: s["colour"] == colour


def about(target, objects, rng):
    """A text that only the target fits and its noun phrase; `None` when the draw does not fit, try again."""
    words, fits = described(target, rng)
    rivals = [s for s in objects if fits(s)]
    x, y = target["centroid"]
    kind = rng.integers(5)
    if kind == 0 and len(rivals) > 1:
        side = list(SIDES)[rng.integers(4)]
        axis, sign = SIDES[side]
        order = sorted(rivals, key=lambda s: sign * s["centroid"][axis])
        gaps = [abs(a["centroid"][axis] - b["centroid"][axis]) for a, b in zip(order, order[1:])]
        rank = next(k for k, s in enumerate(order) if s is target)
        if min(gaps) > 0.04 and rank < 4:
            order_word = "last" if rank == len(order) - 1 and rng.random() < 0.3 else ORDINALS[rank]
            return f"the {order_word} {words} from the {side}", f"the {words}"
    if kind == 1 and len(rivals) > 1:
        others = {s["colour"] for s in rivals if s is not target}
        if len(others) == 1 and target["colour"] not in others:
            other = others.pop()
            category = target["category"]
            if all(s["category"] == category for s in rivals):
                form = ["the {n} that is not {c}", "the non {c} {n}", "the {n} but not the {c} one", "any {n} except the {c} one"]
                return form[rng.integers(4)].format(n=category, c=other), f"the {category}"
    if kind == 2 and len(objects) > 2:
        a, b = (objects[k] for k in rng.permutation(len(objects))[:2])
        if target in (a, b):
            return None
        (aw, af), (bw, bf) = described(a, rng), described(b, rng)
        lone = sum(map(af, objects)) == 1 and sum(map(bf, objects)) == 1
        t = ((x - a["centroid"][0]) * (b["centroid"][0] - a["centroid"][0]) + (y - a["centroid"][1]) * (b["centroid"][1] - a["centroid"][1]))
        length = (b["centroid"][0] - a["centroid"][0]) ** 2 + (b["centroid"][1] - a["centroid"][1]) ** 2
        across = (x - a["centroid"][0]) * (b["centroid"][1] - a["centroid"][1]) - (y - a["centroid"][1]) * (b["centroid"][0] - a["centroid"][0])
        if lone and length > 0.02 and 0.2 < t / length < 0.8 and abs(across) / length ** 0.5 < 0.12 and len(rivals) == 1:
            return f"the {words} between the {aw} and the {bw}", f"the {words}"
    if kind == 3:
        mates = [s for s in objects if s is not target and s["colour"] == target["colour"]]
        if len(mates) == 1 and mates[0]["category"] != target["category"]:
            noun = target["category"]
            if sum(s["category"] == noun for s in objects) > 1 and sum(s["category"] == mates[0]["category"] for s in objects) == 1:
                spelt = ["colour", "color"][rng.integers(2)]
                return f"the {noun} of the same {spelt} as the {mates[0]['category']}", f"the {noun}"
    if kind == 4 and len(rivals) == 2:
        other = next(s for s in rivals if s is not target)
        if other["colour"] != target["colour"]:
            return f"not the {other['colour']} {target['category']} the other one", f"the {target['colour']} {target['category']}"
    return None


def draw(objects, rng, count):
    """Up to `count` expressions, each true of exactly one object: dicts with text, noun_phrase, target."""
    found = []
    for _ in range(4 * count):
        target = objects[rng.integers(len(objects))]
        made = about(target, objects, rng)
        if made and len(found) < count:
            found.append(dict(text=made[0], noun_phrase=made[1], target=target["id"]))
    return found
