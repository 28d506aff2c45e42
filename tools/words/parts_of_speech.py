"""Writes crates/language/data/parts_of_speech.txt from WordNet 3.0 (Debian: wordnet-base).

    python tools/words/parts_of_speech.py [/usr/share/wordnet]

One word a line with the parts of speech that it can be, the most frequent first by the counts of tagged texts (cntlist.rev): `n` noun,
`v` verb, `a` adjective, `r` adverb; in capitals when it is at least four times as frequent as all others together. `i` stands for `n` when
nothing that the noun means can be seen: all its senses are acts, thoughts, feelings, times and the like (lexnames(5WN)). `c` is added to
adjectives for a colour (satellites of "chromatic" and "achromatic") that share their name with no thing and say no more than the colour, as
"rusty" and "gilded" do; `w` to nouns for what is worn (below "clothing", "footwear", "headdress" and the like), `p` to nouns for persons,
each when it is the first sense. Nouns that are
nothing else and can be seen are left out unless the tagged texts have them: an unknown word is a noun anyway. Names are left out.
"""

import collections
import pathlib
import sys

OUT = pathlib.Path(__file__).resolve().parents[2] / "crates/language/data/parts_of_speech.txt"
PARTS = {"noun": "n", "verb": "v", "adj": "a", "adv": "r"}
# noun.act, attribute, cognition, event, feeling, motive, process, relation, state, time (lexnames(5WN))
UNSEEN = {4, 7, 9, 11, 12, 16, 22, 24, 26, 28}
DOMINANT = 4
# the adjectives whose satellites are colours: chromatic, achromatic, black, white
COLOURS = {"00366691", "00386392", "00392812", "00393105"}


# what the synsets of what is worn, and of persons, are called
WORN = {"garment", "clothing", "footwear", "headdress", "spectacles", "jewelry", "handwear", "legwear", "neckwear", "attire"}
PERSON = {"person"}


def below(root, tops):
    """The words whose first noun sense is below one of the synsets whose first word is in `tops`."""
    up, words, names = {}, collections.defaultdict(list), {}
    for line in open(root / "data.noun", encoding="ascii"):
        if line.startswith("  "):
            continue
        fields = line.split()
        count = int(fields[3], 16)
        pointers = fields[4 + 2 * count + 1 :]
        up[fields[0]] = [pointers[4 * k + 1] for k in range(len(pointers) // 4) if pointers[4 * k] in ("@", "@i")]
        names[fields[0]] = [fields[4 + 2 * k] for k in range(count)]
    for line in open(root / "index.noun", encoding="ascii"):
        if not line.startswith("  "):
            fields = line.split()
            words[fields[-int(fields[2])]].append(fields[0])
    found = set()
    for synset in up:
        open_, seen = [synset], set()
        while open_:
            here = open_.pop()
            if here in seen:
                continue
            seen.add(here)
            if tops & set(names[here]):
                found.update(words[synset])
                break
            open_ += up[here]
    return found


def plain(word):
    return word.isascii() and word.isalpha() and word.islower() and len(word) > 1


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "/usr/share/wordnet")
    found = collections.defaultdict(set)
    senses = collections.defaultdict(set)
    colours = set()
    for part, letter in PARTS.items():
        for line in open(root / f"data.{part}", encoding="ascii"):
            if line.startswith("  "):
                continue
            fields = line.split()
            for k in range(int(fields[3], 16)):
                word = fields[4 + 2 * k].split("(")[0]
                if plain(word):
                    found[word].add(letter)
                    if letter == "a" and fields[2] == "s" and any(f"& {colour} a" in line for colour in COLOURS):
                        colours.add(word)
                    if letter == "n":
                        senses[word].add(int(fields[1]))
    counts = collections.Counter()
    kinds = {"1": "n", "2": "v", "3": "a", "4": "r", "5": "a"}
    for line in open(root / "cntlist.rev", encoding="ascii"):
        sense, _, count = line.split()
        word, rest = sense.split("%")
        counts[word, kinds[rest[0]]] += int(count)
    worn, persons = below(root, WORN), below(root, PERSON)
    lines = []
    for word, letters in sorted(found.items()):
        if letters == {"n"} and not counts[word, "n"] and not senses[word] <= UNSEEN and word not in worn:
            continue
        ordered = sorted(letters, key=lambda letter: (-counts[word, letter], "nvar".index(letter)))
        most, others = counts[word, ordered[0]], sum(counts[word, letter] for letter in ordered[1:])
        dominant = most > 0 and most >= DOMINANT * others
        unseen = senses[word] <= UNSEEN
        shown = ["i" if letter == "n" and unseen else letter for letter in ordered]
        if dominant:
            shown[0] = shown[0].upper()
        shown += ["w"] * (word in worn) + ["p"] * (word in persons)
        if word in colours and not {"n", "N"} & set(shown) and not word.endswith(("y", "like", "less", "ed")):
            shown.append("c")
        lines.append(f"{word} {''.join(shown)}\n")
    OUT.write_text("".join(lines))
    print(f"{len(lines)} words, {OUT.stat().st_size} bytes")


main()
