"""The demo model's vocabulary: whole words, everything else is one unknown token."""

from nouns import CATEGORIES

COLOURS = "red green blue yellow orange purple pink brown white black gray".split()
CONTENT = [word for name in CATEGORIES for word in name.split()] + COLOURS + """
grey object thing item one block
small little tiny large big huge medium medium-sized smaller bigger
left right front back top bottom near far middle center central hand side
leftmost rightmost most nearest closest frontmost farthest furthest
biggest largest smallest tiniest tallest highest shortest lowest
behind before next beside close between above below under on in
background part group
second third fourth last first other another same different not except all both two three every any only
colour color shape size than kind but without non
""".split()
# What a proposal can be that is no thing: its names stand beside the nouns when a thing's name is judged.
NOTHING = ["background", "part", "group"]
FILLER = """
the a an of to at by from with that is are and it this there here
pick up please grab take get me bring hand give pass fetch lift raise grasp hold move push pull touch point look for
find locate show go drive reach remove select segment where can you could i want need us camera
now table carefully quickly put down robot away across its no i'd would like that's
""".split()
UNKNOWN, BEGIN, END = "<|unk|>", "<|startoftext|>", "<|endoftext|>"

WORDS = [UNKNOWN] + list(dict.fromkeys(CONTENT + FILLER)) + [BEGIN, END]
IDS = {word: i for i, word in enumerate(WORDS)}
LIMIT = 32


def encode(text, drop=None):
    """Ids with begin and end; `drop(word)` says whether to hide a word behind the unknown token."""
    words = text.split()[: LIMIT - 2]
    inner = [0 if drop and drop(w) else IDS.get(w, 0) for w in words]
    return [IDS[BEGIN]] + inner + [IDS[END]]


def tokenizer_json():
    """The same rules in the format of the `tokenizers` library."""
    special = [dict(id=IDS[w], content=w, single_word=False, lstrip=False, rstrip=False, normalized=False, special=True)
               for w in (UNKNOWN, BEGIN, END)]
    # every punctuation mark but the hyphen parts words and is dropped
    split = dict(type="Split", pattern=dict(Regex=r"[^\p{L}\p{N}\-]+"), behavior="Removed", invert=False)
    return dict(
        version="1.0", truncation=None, padding=None, added_tokens=special,
        normalizer=dict(type="Sequence", normalizers=[dict(type="NFC"), dict(type="Lowercase")]),
        pre_tokenizer=split,
        post_processor=dict(type="TemplateProcessing",
                            single=[dict(SpecialToken=dict(id=BEGIN, type_id=0)), dict(Sequence=dict(id="A", type_id=0)),
                                    dict(SpecialToken=dict(id=END, type_id=0))],
                            pair=[dict(Sequence=dict(id="A", type_id=0)), dict(Sequence=dict(id="B", type_id=1))],
                            special_tokens={w: dict(id=w, ids=[IDS[w]], tokens=[w]) for w in (BEGIN, END)}),
        decoder=None, model=dict(type="WordLevel", vocab=IDS, unk_token=UNKNOWN))
