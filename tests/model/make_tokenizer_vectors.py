#!/usr/bin/env python3
"""Makes tests/data/tokenizer/{base,cases}.json with the `tokenizers` library (written with 0.23.3):

    python3 tests/model/make_tokenizer_vectors.py tests/data/tokenizer

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


def patched(base, patch):
    made = copy.deepcopy(base)
    for key, value in patch.items():
        if key == "model":
            made["model"].update(value)
        else:
            made[key] = value
    return made


def main(folder):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.train_from_iterator(SENTENCES, trainers.BpeTrainer(
        vocab_size=640, special_tokens=["<|endoftext|>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    base = json.loads(tokenizer.to_str())
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


main(sys.argv[1])
