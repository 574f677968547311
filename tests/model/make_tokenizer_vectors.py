#!/usr/bin/env python3
"""Makes tests/data/tokenizer/{base,cases,families}.json with the `tokenizers` library (written with 0.23.3):

    python3 tests/model/make_tokenizer_vectors.py tests/data/tokenizer

families.json has the settings of each family of checkpoints over small vocabularies, with ids and, in bytes, the characters
that the library says each token is of. With --more N another folder gets, instead, N texts a family for a longer comparison:
FAMILY.json, a tokenizer, and FAMILY.texts.json, [[text, ids, spans], ...]; names of tokenizer.json files may follow.

base.json is a byte-level BPE tokenizer trained on the sentences below. cases.json holds variants of it, each a few keys that
replace the base's, with the ids that the library gives to a list of texts; test_tokenizer.c wants the same ids.
test_tokenizer_train.c wants base.json's vocabulary and merges from the sentences.
"""
import copy
import json
import random
import sys
import unicodedata

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

SENTENCES = """
The keeper lit the lamp and waited for the tide to turn, counting the boats as they came round the point.
Nobody asks a baker why the bread is late when the mill stands still; they ask the miller, and he asks the wind.
In 1931 the harbour had 24 berths, 7 cranes and 1 clock that was always 5 minutes slow.
She wrote: "It's not that we're lost. We've only mislaid the shore, and they'll find us before it's dark."
for (size_t i = 0; i < n; i++) { total += price[i] * count[i]; }
def tide(hour, phase=0.25):\n    return 3.1 * math.sin(2 * math.pi * (hour + phase) / 12.42)
Le garçon a mangé une crêpe à la crème brûlée près de l'île d'Yeu.
Der Müller läßt grüßen; über den Fluß führt keine Brücke mehr.
Смотритель зажёг лампу и стал ждать прилива, считая лодки.
Ο φύλακας άναψε τη λάμπα και περίμενε την παλίρροια.
守灯人点亮了灯,等着潮水退去。灯台守は灯をともし、潮の変わるのを待った。
등대지기는 등불을 켜고 물때가 바뀌기를 기다렸다.
""".strip().split("\n") * 3

LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|"
          r"\s*[\r\n]+|\s+(?!\S)|\s+")
O200K = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")

TEXTS = [
    "", " ", "  ", "\n", "a", "The tide turned.", " The tide turned.", "the  lamp   and    the     boats",
    "It's, we're, they've, I'm, he'll, she'd; IT'S WE'RE THEY'VE", "it's'll'd 's 'S", "don't can't won\u2019t",
    "In 1931 there were 24 boats, 7 cranes, 12345678 fish and 3.1415 tons.", "x1y22z333 4444", "\u0661\u0662\u0663 \u2167 \u00b2\u00bd",
    "for (int i = 0; i < 10; i++) {\n\tsum += v[i];\n}\n", "def f(x):\n    return x ** 2\n\n\nprint(f(3))\n",
    "\tindented\n\t\ttwice\n", "trailing space ", "trailing spaces   ", "line\r\nline\r\n\r\nline", "\r\r\n\n \n",
    "a\u00a0b\u2003c\u3000d\u2028e\u2029f\u0085g\u180eh\u200bi", "\ufefftext after a mark", "caf\u00e9 cafe\u0301 CAFE\u0301",
    "\u1112\u1161\u11ab\u1100\u1173\u11af \ud55c\uae00", "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35", "\u0928\u092e\u0938\u094d\u0924\u0947",
    "\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627", "\u0421\u043c\u043e\u0442\u0440\u0438\u0442\u0435\u043b\u044c",
    "\u039f \u03c6\u03cd\u03bb\u03b1\u03ba\u03b1\u03c2 \u039f\u0394\u039f\u03a3", "\u5b88\u706f\u4eba\u70b9\u4eae\u4e86\u706f",
    "\u706f\u3001\u706f\u3002\u706f\u3008\u706f", "\u706f\u53f0\u5b88\u306f\u706f\u3092\u3068\u3082\u3057", "\ub4f1\ub300\uc9c0\uae30\ub294",
    "\U0001f600\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1eb\U0001f1f7 \u2764\ufe0f", "\U0001d400\U0001d7d8 \ufb01\ufb02 \uff21\uff11",
    "a\u0323\u0307 a\u0307\u0323 \u1e69 s\u0323\u0307", "\u212b \u00c5 A\u030a", "\u0130stanbul I\u0307 \u0131 \u1e9e\u00df", "\u017fs '\u017f",
    "\x00\x01\x02 nul inside \x7f", "<|endoftext|>", "a<|endoftext|>b <|endoftext|> c", "<|endoftext|", "<|endoftext|><|endoftext|>",
    "<|pad|>", " <|pad|> ", "x  <|pad|>  y", "mask <mask> mask <mask>", "  <mask>  .", "word words wordy sword word", "word", "(word)_word",
    "        eight", "     five and   three", "caf\u00e9s caf\u00e9 Cafe\u0301", "lamp|lamp|lamp", "--==--", "a-b--c---d", "-a-", "---",
    "http://example.org/a?b=c&d=e#f", "user@example.org", "$1,234.56 (7%)", "snake_case camelCase PascalCase SCREAMING_CASE",
    "\u201cquoted\u201d \u2018single\u2019 \u2026 \u2014 \u00ab\u00bb", "a" * 70, "ab" * 40, "the" * 30, " " * 33 + "x", "\n" * 9, "!?" * 20,
    "mi\u0301xed e\u0301\u0301\u0301 marks \u0301", "\u0301", " \u0301x", "\ud55c\u11a8", "\u1100\u1161", "\u0915\u093c \u0958", "\u0344 \u0374 \u037e \u2126",
]

STEPS = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
BARE = dict(STEPS, use_regex=False)


def sequence(*steps):
    return {"type": "Sequence", "pretokenizers": list(steps)}


def split(pattern, behavior="Isolated", invert=False, kind="Regex"):
    return {"type": "Split", "pattern": {kind: pattern}, "behavior": behavior, "invert": invert}


def added(id, content, **flags):
    token = {"id": id, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False}
    token.update(flags)
    return token


def normalizers(*names):
    return {"type": "Sequence", "normalizers": [{"type": name} for name in names]}


def variants(n, vocab):
    end = added(0, "<|endoftext|>", special=True)
    kit = [end, added(n, "<|pad|>", special=True), added(n + 1, "<mask>", special=True, lstrip=True),
           added(n + 2, "        "), added(n + 3, "   "), added(n + 4, "word", single_word=True, rstrip=True),
           added(n + 5, "caf\u00e9", normalized=True), added(n + 6, "fish and", normalized=True)]
    digits = {"type": "Digits", "individual_digits": True}
    fewer = {k: v for k, v in vocab.items() if len(k) == 1 and k not in "aeiou\u0120\u00e9\u00e2" or k == "<|endoftext|>"}
    patterns = [("Isolated", False), ("Removed", False), ("MergedWithPrevious", False), ("MergedWithNext", False),
                ("Contiguous", False), ("Removed", True), ("Contiguous", True), ("MergedWithNext", True)]
    yield "gpt2", {}
    yield "added", {"added_tokens": kit}
    yield "added, nfc", {"added_tokens": kit, "normalizer": {"type": "NFC"}}
    yield "added, prefix", {"added_tokens": kit, "pre_tokenizer": dict(STEPS, add_prefix_space=True)}
    yield "llama3", {"pre_tokenizer": sequence(split(LLAMA3), BARE), "model": {"ignore_merges": True},
                     "post_processor": {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 0}}],
                                        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
                                        "special_tokens": {}}}
    yield "o200k", {"pre_tokenizer": sequence(split(O200K, "Removed", True), BARE)}
    yield "digits", {"pre_tokenizer": sequence(digits, STEPS)}
    yield "digits, prefix", {"pre_tokenizer": sequence(dict(digits, individual_digits=False), dict(STEPS, add_prefix_space=True))}
    for form in ["NFC", "NFD", "NFKC", "NFKD", "Lowercase"]:
        yield form.lower(), {"normalizer": {"type": form}}
    yield "nfkc, lower, nfd", {"normalizer": normalizers("NFKC", "Lowercase", "NFD"), "added_tokens": kit}
    yield "no regex", {"pre_tokenizer": BARE}
    yield "ignore merges", {"model": {"ignore_merges": True}}
    yield "unknown", {"model": {"unk_token": "<|endoftext|>", "vocab": fewer, "merges": []}}
    yield "unknown, fused", {"model": {"unk_token": "<|endoftext|>", "fuse_unk": True, "vocab": fewer, "merges": []}}
    for behavior, invert in patterns:
        name = behavior + (", inverted" if invert else "")
        yield name, {"pre_tokenizer": sequence(split("-|\\s", behavior, invert), BARE)}
        yield name + ", empty matches", {"pre_tokenizer": sequence(split("(?=[A-Z])|-*", behavior, invert), BARE)}
    yield "string", {"pre_tokenizer": sequence(split("|", "Removed", False, "String"), split(".", "MergedWithNext", False, "String"), BARE)}
    yield "without Han", {"pre_tokenizer": sequence(split(r"\p{Han}", "Removed"), BARE)}
    for pattern in [r"\w+", r"\W", r"[^\w\s]+", r"\h+", r"\p{Han}+", r"\P{L}", r"^.", r".$", r"\x{65}|\u0074", r"[a-c[x-z]]+", r"(?i)THE|L",
                    r"e{2}|t{,1}h|\{", r"(?<=t)h", r"(?<![ab])e", r"(?>a|ab)c?", r"\d+\.?\d*", r"[^\S\n]+", r"\t|\x20\x20", r"[\]\[\-]", r"a*?b++"]:
        yield "pattern " + pattern, {"pre_tokenizer": sequence(split(pattern), BARE)}


def random_texts(count):
    rnd = random.Random(5)
    old = [c for c in range(0x20, 0x30000) if unicodedata.ucd_3_2_0.category(chr(c)) not in ("Cn", "Cs", "Co")]
    words = [w for s in SENTENCES for w in s.split()]
    for _ in range(count):
        yield "".join(rnd.choice([lambda: rnd.choice(words), lambda: " ", lambda: chr(rnd.choice(old)), lambda: rnd.choice("\n\t  '-.0179AZ")])()
                      for _ in range(rnd.randrange(2, 16)))


WHITE = [" ", "  ", "   ", "\n", "\r\n", "\t", "\n\n", "\u00a0", "\u2003", "\u3000", "\u2028", "\u200b", "\u0085", "\u202f", "\x0b", "\x0c", " \n "]
EMOJI = ["\U0001f600", "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466", "\U0001f44d\U0001f3fd", "\U0001f1f3\U0001f1f4", "1\ufe0f\u20e3", "\u2764\ufe0f\u200d\U0001f525",
         "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f", "\U0001f9d1\U0001f3ff\u200d\U0001f680", "\u2600", "\u260e\ufe0e"]
RANGES = [(0x41, 0x5a), (0x61, 0x7a), (0xc0, 0x17f), (0x370, 0x3ff), (0x410, 0x44f), (0x531, 0x556), (0x5d0, 0x5ea), (0x621, 0x64a), (0x905, 0x939), (0x985, 0x9a8),
          (0xb85, 0xbb9), (0xe01, 0xe2e), (0x10d0, 0x10f0), (0x1200, 0x1248), (0x1780, 0x17a2), (0x3041, 0x3093), (0x30a1, 0x30f4), (0x4e00, 0x9fa5), (0xac00, 0xd7a3), (0x10330, 0x1034a)]
MARKS = "\u0301\u0308\u0323\u0327\u0345\u064e\u0651\u05b8\u05bc\u093f\u094d\u0e31\u0e34\u1160\u11a8\u3099\u20dd"
CODE = ["if (x != NULL && *x++ == '\\0')", "\tfor i in range(10):\n\t\tprint(i)\n", "SELECT a.b FROM t WHERE c>=3;", "<div class=\"a\">&amp;</div>", "0x1F 1e-9 3.14f 1_000", "// x\n/* y */",
        "a->b[c](d){e};", "#!/bin/sh\nset -eu\n", "\\frac{a}{b} $x_1^2$", "fn f<'a>(s: &'a str) -> u8 { 0 }", "{\"k\": [1, 2.5, null]}", "x = y if z else w  # why\n", "I'LL we're O'Neil 'tis rock'n'roll"]
ODD = ["\u2581", "\u2581\u2581x", " \u2581 ", "\x00", "\x07", "\x1b[0m", "\x7f", "\ufeff", "\ufffd", "\ue000", "\u200d", "\u200c", "\u202e", "\u0378", "\U0010fffd", "\u00ad", "\u00b2\u00bd\u2163", "\u0130\u0131", "\u017f\u212a",
       "<s>", "</s>", "<unk>", "<0x0A>", "<|endoftext|>", "<|im_start|>", "<pad>", "<bos>", "<|begin_of_text|>", "\ufb03\u01c4\u2126\u212b", "\u0661\u0966\u0e51\uff11", "e\u0301\u0327\u0301", "\u1100\u1161\u11a8"]


def wild_texts(count, seed):
    """Texts of many scripts, made of nothing but code points, words and the pieces above."""
    rnd = random.Random(seed)
    words = [w for s in SENTENCES for w in s.split()]

    def script():
        low, high = rnd.choice(RANGES)
        return "".join(chr(rnd.randint(low, high)) + (rnd.choice(MARKS) if rnd.random() < 0.15 else "") for _ in range(rnd.randrange(1, 9)))

    kinds = [lambda: rnd.choice(words), lambda: rnd.choice(words) + " ", lambda: rnd.choice(WHITE), lambda: " ", lambda: rnd.choice(EMOJI), script, script,
             lambda: rnd.choice(CODE), lambda: rnd.choice(ODD), lambda: str(rnd.randrange(10 ** rnd.randrange(1, 9))), lambda: rnd.choice("'\"-.,;:!?()[]{}/\\|@#$%^&*_+=~`") * rnd.choice([1, 1, 2, 5]),
             lambda: " " * rnd.randrange(1, 20), lambda: rnd.choice(SENTENCES)[:rnd.randrange(40)]]
    for _ in range(count):
        yield "".join(rnd.choice(kinds)() for _ in range(rnd.randrange(1, 14)))


QWEN2 = LLAMA3.replace("{1,3}", "")
GPT4 = (r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+")
SPACE = "\u2581"


def template(name, *after):
    pair = lambda n, i: {"SpecialToken": {"id": n, "type_id": i}}
    text = lambda n, i: {"Sequence": {"id": n, "type_id": i}}
    specials = {n: {"id": n, "ids": [0], "tokens": [n]} for n in [name, *after]}
    ends = [pair(n, 0) for n in after]
    return {"type": "TemplateProcessing", "single": [pair(name, 0), text("A", 0), *ends],
            "pair": [pair(name, 0), text("A", 0), *ends, pair(name, 1), text("B", 1)], "special_tokens": specials}


def metaspace(scheme, split, **more):
    return {"type": "Metaspace", "replacement": SPACE, "prepend_scheme": scheme, "split": split, **more}


def in_turn(key, *steps):
    return {"type": "Sequence", key: list(steps)}


def replace(what, content, kind="String"):
    return {"type": "Replace", "pattern": {kind: what}, "content": content}


def families():
    """The ids of added tokens are put in by all_families."""
    post = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True}
    end = added(0, "<|endoftext|>", special=True)
    runs = [added(0, " " * n, normalized=True) for n in range(8, 1, -1)]
    tabs = [added(0, "\t" * n, normalized=True) for n in range(4, 1, -1)]
    digits = {"type": "Digits", "individual_digits": True}
    chat = [added(0, "<|im_start|>", special=True), added(0, "<|im_end|>", special=True)]
    begin = [added(0, "<|begin_of_text|>", special=True), added(0, "<|end_of_text|>", special=True)]
    kit = [added(0, name, special=True) for name in ["<unk>", "<s>", "</s>"]]
    back = [replace(SPACE, " "), {"type": "ByteFallback"}, {"type": "Fuse"}]
    strip = {"type": "Strip", "content": " ", "start": 1, "stop": 0}
    prepend = in_turn("normalizers", {"type": "Prepend", "prepend": SPACE}, replace(" ", SPACE))
    llama = {"added_tokens": kit, "normalizer": prepend, "pre_tokenizer": None, "decoder": in_turn("decoders", *back, strip), "post_processor": template("<s>")}
    newer = dict(llama, normalizer=None, pre_tokenizer=metaspace("first", False))
    gemma = {"added_tokens": kit + [added(0, "<bos>", special=True), added(0, "<pad>", special=True), added(0, "\n\n"), added(0, SPACE * 3)],
             "normalizer": replace(" ", SPACE), "pre_tokenizer": split(" ", "MergedWithPrevious", False, "String"),
             "decoder": in_turn("decoders", *back), "post_processor": template("<bos>", "<pad>")}
    yield "gpt2", "bytes", {"post_processor": post}
    yield "gpt2-prefix", "bytes", {"pre_tokenizer": dict(STEPS, add_prefix_space=True), "post_processor": post}
    yield "neox", "bytes", {"normalizer": {"type": "NFC"}, "added_tokens": [end] + runs, "post_processor": dict(STEPS, trim_offsets=False)}
    yield "phi", "bytes", {"added_tokens": [end] + runs + tabs, "post_processor": post}
    yield "llama3", "bytes", {"added_tokens": [end] + begin, "pre_tokenizer": sequence(split(LLAMA3), BARE), "model": {"ignore_merges": True},
                              "post_processor": in_turn("processors", dict(STEPS, trim_offsets=False), template("<|begin_of_text|>"))}
    yield "qwen2", "bytes", {"normalizer": {"type": "NFC"}, "added_tokens": [end] + chat, "pre_tokenizer": sequence(split(QWEN2), dict(BARE, trim_offsets=False)),
                             "post_processor": dict(BARE, trim_offsets=False)}
    yield "olmo2", "bytes", {"added_tokens": [end] + begin, "pre_tokenizer": sequence(split(GPT4, "Removed", True), BARE), "post_processor": None}
    yield "smollm2", "bytes", {"added_tokens": [end] + chat, "pre_tokenizer": sequence(digits, STEPS), "post_processor": None}
    yield "llama2", "meta", llama
    yield "mistral", "meta", newer
    yield "phi3", "meta", dict(llama, added_tokens=kit + [added(0, "<|end|>", special=True, rstrip=True), added(0, "<pad>", special=True, lstrip=True),
                                                          added(0, "<|x|>", normalized=True)])
    yield "gemma", "meta", gemma
    yield "meta-always", "meta", dict(newer, pre_tokenizer=metaspace("always", True), decoder=metaspace("always", True))
    yield "meta-never", "meta", dict(newer, pre_tokenizer=metaspace("never", True), decoder=metaspace("never", True))
    yield "meta-old", "meta", dict(newer, pre_tokenizer={"type": "Metaspace", "replacement": SPACE, "add_prefix_space": True})
    yield "meta-digits", "meta", dict(newer, pre_tokenizer=sequence(digits, metaspace("always", True)))
    yield "no-fuse", "meta", dict(llama, model={"fuse_unk": False, "byte_fallback": False})
    yield "fuse", "meta", dict(llama, model={"fuse_unk": True, "byte_fallback": False})
    yield "whole", "meta", dict(llama, model={"ignore_merges": True}, pre_tokenizer=metaspace("always", True), normalizer=None)
    # One of the byte tokens is not there, and what would need it is unknown.
    yield "odd-bytes", "lacking", dict(llama, model={"fuse_unk": True})
    yield "odd-bytes-apart", "lacking", dict(llama, model={"fuse_unk": False})
    # Tokens of spaces, and tokens that take the spaces around them.
    yield "odd-spaces", "bytes", {"added_tokens": [end, added(0, "  ", rstrip=True), added(0, "\n", rstrip=True), added(0, "word", rstrip=True, single_word=True)]}
    yield "odd-spaces-meta", "meta", dict(llama, added_tokens=kit + [added(0, "  ", rstrip=True, normalized=True), added(0, "\n", rstrip=True)])
    yield "clipped", "meta", dict(newer, truncation={"direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 0},
                                  padding={"strategy": {"Fixed": 9}, "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0, "pad_type_id": 0,
                                           "pad_token": "<unk>"}, model={"dropout": 0.0})
    yield "wide-llama2", "wide", llama
    yield "wide-gemma", "wide", gemma
    yield "odd-normal", "meta", dict(llama, normalizer=in_turn("normalizers", {"type": "Strip", "strip_left": True, "strip_right": True}, {"type": "NFKC"},
                                                               replace("(?<=\\d),(?=\\d{3})|[\u200b\u00ad]+", "", "Regex"), {"type": "Prepend", "prepend": SPACE}, replace(" ", SPACE)))


def code_point_base(split, size):
    """BPE of code points with byte fallback: rarer characters have no token of their own."""
    specials = ["<unk>", "<s>", "</s>"] + ["<0x%02X>" % b for b in range(256)]
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(split=split)
    tokenizer.train_from_iterator(SENTENCES + ["a  b    c        d  e\n\n\nf"] * 6, trainers.BpeTrainer(
        vocab_size=size, special_tokens=specials, limit_alphabet=110, show_progress=False))
    return dict(json.loads(tokenizer.to_str()), added_tokens=[])


def patched(base, patch):
    made = copy.deepcopy(base)
    for key, value in patch.items():
        if key == "model":
            made["model"].update(value)
        else:
            made[key] = value
    return made


def base_tokenizer():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.train_from_iterator(SENTENCES, trainers.BpeTrainer(
        vocab_size=640, special_tokens=["<|endoftext|>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    return json.loads(tokenizer.to_str())

def all_families(base):
    bases = {"bytes": base, "meta": code_point_base(True, 640), "wide": code_point_base(False, 700)}
    bases["lacking"] = copy.deepcopy(bases["meta"])
    for byte in (0xe2, 0xcc, 0x41):
        bases["lacking"]["model"]["vocab"]["<no %02X>" % byte] = bases["lacking"]["model"]["vocab"].pop("<0x%02X>" % byte)
    for name, which, patch in families():
        vocab = bases[which]["model"]["vocab"]
        patch = copy.deepcopy(patch)
        ids = dict(vocab)
        for token in patch.get("added_tokens", []):
            token["id"] = ids.setdefault(token["content"], len(ids))
        fill_template(patch.get("post_processor"), ids)
        yield name, which, patch, bases[which]


def fill_template(processor, ids):
    for part in (processor or {}).get("processors", []):
        fill_template(part, ids)
    for name, token in (processor or {}).get("special_tokens", {}).items():
        token["ids"] = [ids[name]]


def byte_spans(text, encoding):
    """From [from, to) in characters to the same in bytes."""
    at = [0]
    for c in text:
        at.append(at[-1] + len(c.encode()))
    return [at[i] for pair in encoding.offsets for i in pair]


def encoded(library, texts):
    """Where normalisation changes a text the library tells of the first of the characters that became one: no spans then."""
    library.no_padding()
    library.no_truncation()
    for text in texts:
        encoding = library.encode(text, add_special_tokens=False)
        composed = library.normalizer and unicodedata.normalize("NFKC", text) != text
        yield text, encoding.ids, None if composed else byte_spans(text, encoding)


def write_families(base, path):
    texts = TEXTS[::2] + list(wild_texts(260, 11))
    out = []
    bases = {}
    for i, (name, which, patch, under) in enumerate(all_families(base)):
        library = Tokenizer.from_str(json.dumps(patched(under, patch)))
        step = 1 if name == "llama2" else 5
        chosen = [k for k in range(len(texts)) if (k + i) % step == 0]
        rows = list(encoded(library, [texts[k] for k in chosen]))
        out.append({"name": name, "base": which, "patch": patch, "texts": chosen, "ids": [r[1] for r in rows], "spans": [None if name.startswith("odd") else r[2] for r in rows],
                    "around": library.encode("", add_special_tokens=True).ids})
        if which != "bytes":
            bases[which] = under
    line = lambda v: json.dumps(v, separators=(",", ":"))
    with open(path, "w", encoding="utf-8") as f:
        f.write('{"bases":' + line(bases) + ',\n"texts":' + line(texts) + ',\n"families":[\n' + ",\n".join(map(line, out)) + "\n]}\n")


def write_more(folder, count, files):
    libraries = [(name, json.dumps(patched(under, patch))) for name, _, patch, under in all_families(base_tokenizer())]
    for path in files:
        root = json.load(open(path, encoding="utf-8"))
        if root["post_processor"] and "trim_offsets" in root["post_processor"]:
            root["post_processor"]["trim_offsets"] = False
        libraries.append((path.split("/")[-1].replace(".json", ""), json.dumps(root)))
    texts = TEXTS + list(wild_texts(count, 23)) + list(random_texts(count // 4))
    for name, text in libraries:
        with open(folder + "/" + name + ".json", "w", encoding="utf-8") as f:
            f.write(text)
        with open(folder + "/" + name + ".texts.json", "w", encoding="utf-8") as f:
            json.dump(list(encoded(Tokenizer.from_str(text), texts)), f, separators=(",", ":"))


def write_cases(folder):
    base = base_tokenizer()
    with open(folder + "/base.json", "w", encoding="utf-8") as f:
        json.dump(base, f, ensure_ascii=False, separators=(",", ":"))
    all_texts = TEXTS + list(random_texts(60))
    cases = []
    for i, (name, patch) in enumerate(variants(len(base["model"]["vocab"]), base["model"]["vocab"])):
        chosen = all_texts if i < 7 else [t for k, t in enumerate(all_texts) if (k + i) % 3 == 0 or "\u3001" in t]
        library = Tokenizer.from_str(json.dumps(patched(base, patch)))
        case = {"name": name, "patch": patch, "texts": [all_texts.index(t) for t in chosen],
                "ids": [library.encode(t, add_special_tokens=False).ids for t in chosen]}
        if "added_tokens" in patch:
            library.encode_special_tokens = True
            case["plain"] = [library.encode(t, add_special_tokens=False).ids for t in chosen]
        cases.append(case)
    with open(folder + "/cases.json", "w", encoding="utf-8") as f:
        f.write('{"sentences":' + json.dumps(SENTENCES, ensure_ascii=False, separators=(",", ":")) + ",\n")
        f.write('"texts":' + json.dumps(all_texts, separators=(",", ":")) + ',\n"cases":[\n')
        f.write(",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]}\n")

    write_families(base, folder + "/families.json")


if len(sys.argv) > 3 and sys.argv[2] == "--more":
    write_more(sys.argv[1], int(sys.argv[3]), sys.argv[4:])
else:
    write_cases(sys.argv[1])
