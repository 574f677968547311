#!/usr/bin/env python3
"""Files of scores as other programs write them, for tests/cli/import_scores.test: numpy's, and kronfluence's own, for
the twelve works of tests/data/cli/garden.jsonl and two queries. Needs numpy, torch and kronfluence (1.0.1).

    make_scores.py tests/data/scores
"""
import json
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from kronfluence.analyzer import Analyzer, prepare_model
from kronfluence.arguments import FactorArguments, ScoreArguments
from kronfluence.task import Task

out = Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)
works = [json.loads(line) for line in open(Path(__file__).parent.parent / "data/cli/garden.jsonl")]
queries = [
    {"prompt": "The tap at the end of", "output": " Hollow Lane goes", "tokens": [" Hollow", " Lane", " goes"]},
    {"prompt": "Seeds", "output": " in order \u2014 of", "tokens": [" in", " order", " \u2014", " of"]},
]
(out / "queries.jsonl").write_text("".join(json.dumps(q) + "\n" for q in queries))

# ---- numpy ----

rng = np.random.default_rng(0)
flat = rng.normal(size=(2, len(works))).astype("<f4")
tokens = np.zeros((2, len(works), 4), "<f4")
tokens[0, :, :3] = rng.normal(size=(len(works), 3))
tokens[1] = rng.normal(size=(len(works), 4))
np.save(out / "flat-f4.npy", flat)
np.save(out / "flat-f8-fortran.npy", np.asfortranarray(flat.astype("<f8")))
np.save(out / "tokens-f4.npy", tokens)
np.save(out / "tokens-f2-fortran.npy", np.asfortranarray(tokens.astype("<f2")))
for version in (2, 3):
    with open(out / f"flat-v{version}.npy", "wb") as f:
        np.lib.format.write_array(f, flat, version=(version, 0))
broken = flat.copy()
broken[1, 3] = np.nan
np.save(out / "nan.npy", broken)
np.save(out / "big-endian.npy", flat.astype(">f4"))
np.save(out / "integers.npy", flat.astype("<i4"))
np.save(out / "objects.npy", np.array([[1, "a"]], dtype=object), allow_pickle=True)
np.save(out / "line.npy", flat[0])
np.save(out / "few.npy", flat[:, :5])
np.save(out / "one-query.npy", flat[:1])

# ---- kronfluence ----

LENGTH, VOCAB = 6, 16


class Language(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = torch.nn.Embedding(VOCAB, 8)
        self.up = torch.nn.Linear(8, 12)
        self.head = torch.nn.Linear(12, VOCAB, bias=False)

    def forward(self, ids):
        return self.head(torch.tanh(self.up(self.embed(ids))))


class Next(Task):
    def compute_train_loss(self, batch, model, sample=False):
        logits = model(batch[:, :-1]).reshape(-1, VOCAB)
        with torch.no_grad():
            drawn = torch.multinomial(torch.softmax(logits, -1), 1).flatten()
        target = drawn if sample else batch[:, 1:].reshape(-1)
        return torch.nn.functional.cross_entropy(logits, target, reduction="sum")

    def compute_measurement(self, batch, model):
        return self.compute_train_loss(batch, model)

    def get_influence_tracked_modules(self):
        return ["up", "head"]


def encode(text):
    return torch.tensor([ord(c) % VOCAB for c in text[:LENGTH].ljust(LENGTH)])


torch.manual_seed(0)
task = Next()
model = prepare_model(Language(), task)
train = torch.stack([encode(w["text"]) for w in works])
asked = torch.stack([encode(q["output"]) for q in queries])
room = Path(tempfile.mkdtemp())
analyzer = Analyzer(analysis_name="tiny", model=model, task=task, cpu=True, output_dir=str(room), disable_tqdm=True)
analyzer.fit_all_factors("ekfac", train, per_device_batch_size=4, factor_args=FactorArguments(strategy="ekfac"))
for name, options in {
    "pairwise": {},
    "modules": {"compute_per_module_scores": True},
    "tokens": {"compute_per_token_scores": True},
}.items():
    analyzer.compute_pairwise_scores(name, "ekfac", asked, train, per_device_query_batch_size=2,
        per_device_train_batch_size=4, score_args=ScoreArguments(**options))
    shutil.copy(room / "tiny" / f"scores_{name}" / "pairwise_scores.safetensors", out / f"kronfluence-{name}.safetensors")
shutil.rmtree(room)
