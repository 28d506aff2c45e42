"""Writes CLIP's byte-pair vocabulary as models/clip_bpe/tokenizer.json, in the format of the `tokenizers`
library, from the merges that the PyPI package open-clip-torch ships; and golden ids of its reference tokenizer.

    pip install open-clip-torch==3.3.0 ftfy
    python tools/clip_tokenizer.py --out models/clip_bpe --golden tests/data/clip_tokens.jsonl
"""

import argparse
import json
import random

from open_clip.tokenizer import SimpleTokenizer

ODD = ["", " ", "a", "A", "don't", "DON'T", "it's the dog's", "we'll've", "naïve café", "CAFÉ", "ﬁne ﬂow", "“quoted” ‘text’",
       "fish &amp; chips", "&lt;b&gt;", "&amp;amp; twice", "100%", "3.14", "a-b_c", "tab\tand\nnew line", "  many   spaces  ",
       "emoji 🙂👍🏽 zwj 👩‍🚀", "日本語のテキスト", "русский текст", "עברית", "العربية", "हिन्दी", "ελληνικά ΣΊΣΥΦΟΣ", "İstanbul", "straße",
       "<|startoftext|> x <|endoftext|>", "<|endoftext|>", "...", "!!??", "#hash @at $5", "x" * 300, "word " * 120, "1234567890",
       "a\u0301 combining", "ＦＵＬＬ　ｗｉｄｔｈ", "soft\u00adhyphen", "zero\u200bwidth", "null\x00byte", "bell\x07", "nbsp\u00a0here", "½ ² Ⅳ",
       "http://example.com/a?b=c&d=e", "user@example.com", "C++ & C#", "{json: [1, 2]}", "\\back\\slash", "'s 't 're", "O'Neil's",
       "ǆ ǈ ĳ ŉ", "\ufeffbom", "mid\u2013dash\u2014em", "…", "′ ″", "µ", "Å", "ﬀ ﬃ"]


def sentences(seed=5):
    r = random.Random(seed)
    nouns = "mug cup laptop man woman zebra bottle banana chair dog cat umbrella truck bowl scissors remote keyboard giraffe".split()
    adjectives = "red blue Green small LARGE wooden half-eaten parked left-most shiny black-and-white 2nd second-hand".split()
    places = ["on the left", "behind the laptop", "next to the man's bag", "at (3, 4)", "in 2nd row!", "near café", "w/ hat", "by the window?"]
    verbs = ["pick up", "hand me", "Please bring", "GO TO", "where's", "don't touch", "can you get"]
    letters = "abcdefghijklmnopqrstuvwxyzABCXYZ0123456789 '-.,!?&;#éüñßжλ中あ🙂"
    out = []
    for _ in range(620):
        out.append(f"{r.choice(verbs)} the {r.choice(adjectives)} {r.choice(nouns)} {r.choice(places)}"[r.randrange(0, 6):])
    for _ in range(420):
        out.append("".join(r.choice(letters) for _ in range(r.randrange(1, 60))))
    return out


def tokenizer_json(reference):
    vocabulary = dict(reference.encoder)
    merges = [list(pair) for pair, _ in sorted(reference.bpe_ranks.items(), key=lambda item: item[1])]
    begin, end = "<start_of_text>", "<end_of_text>"
    rename = {begin: "<|startoftext|>", end: "<|endoftext|>"}
    vocabulary = {rename.get(k, k): v for k, v in vocabulary.items()}
    special = [dict(id=vocabulary[t], content=t, single_word=False, lstrip=False, rstrip=False, normalized=False, special=True)
               for t in rename.values()]
    pattern = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
    return dict(
        version="1.0", truncation=None, padding=None, added_tokens=special,
        normalizer=dict(type="Sequence", normalizers=[
            dict(type="NFC"), dict(type="Replace", pattern=dict(Regex=r"\s+"), content=" "), dict(type="Lowercase")]),
        pre_tokenizer=dict(type="Sequence", pretokenizers=[
            dict(type="Split", pattern=dict(Regex=pattern), behavior="Removed", invert=True),
            dict(type="ByteLevel", add_prefix_space=False, trim_offsets=True, use_regex=False)]),
        post_processor=dict(type="RobertaProcessing", sep=["<|endoftext|>", vocabulary["<|endoftext|>"]],
                            cls=["<|startoftext|>", vocabulary["<|startoftext|>"]], trim_offsets=False, add_prefix_space=False),
        decoder=dict(type="ByteLevel", add_prefix_space=True, trim_offsets=True, use_regex=True),
        model=dict(type="BPE", dropout=None, unk_token="<|endoftext|>", continuing_subword_prefix="", end_of_word_suffix="</w>",
                   fuse_unk=False, byte_fallback=False, vocab=vocabulary, merges=merges))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--out", required=True)
    p.add_argument("--golden")
    args = p.parse_args()
    reference = SimpleTokenizer()
    with open(f"{args.out}/tokenizer.json", "w") as f:
        json.dump(tokenizer_json(reference), f, ensure_ascii=False, separators=(",", ":"))
    if args.golden:
        with open(args.golden, "w") as f:
            for text in ODD + sentences():
                ids = reference(text)[0].tolist()
                ids = ids[: ids.index(reference.eot_token_id) + 1]
                f.write(json.dumps(dict(text=text, ids=ids), ensure_ascii=True, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
