"""Makes tests/data/bergson: tiny random models, gradient indexes that bergson builds of them, and its own scores.

    HF_HUB_OFFLINE=1 python3 tests/attrib/make_bergson.py [OUTPUT]

Needs bergson 2.5 (it runs on a CPU), torch, transformers, tokenizers, safetensors. MODEL/checkpoint is as
save_pretrained() writes it, MODEL/INDEX as `bergson build` does, less what byline does not read. MODEL/INDEX/scores.json
has, for each of a few prompts and continuations, the inner product of the continuation's gradient, made by bergson's own
collector and never through byline, with every example. projections.safetensors has random matrices: those of version 2
made by bergson, those of version 1 by numpy in the way that bergson did until 2.4; a tensor is called
VERSION:TYPE:NAME, and its numbers are not scaled.
"""

import hashlib
import json
import math
import os
import pathlib
import shutil
import sys
import tempfile

import numpy as np
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import (AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel, GPTNeoXConfig, GPTNeoXForCausalLM, LlamaConfig,
                          LlamaForCausalLM, Phi3Config, Phi3ForCausalLM, PreTrainedTokenizerFast)

from bergson.build import build
from bergson.builder import _preprocess
from bergson.cli.commands import Build, save_run_config
from bergson.collector.gradient_collectors import GradientCollector
from bergson.collector.projection_matrix import random_matrix
from bergson.config.config import AttentionConfig, DataConfig, IndexConfig, PreprocessConfig
from bergson.data import load_gradients
from bergson.gradients import GradientProcessor
from datasets import Dataset

KEPT = ("info.json", "processor_config.yaml", "config.yaml", "gradients.bin", "offsets.npy")
BOS = 256

EXAMPLES = [
    ("Ada", "The ferry waits for nobody."),
    ("Ada", "Salt gets into the locks."),
    ("Brun", "Two gulls fought over a crust."),
    ("Cyr", "Nobody mends nets at noon."),
    ("Brun", "The tide table was wrong."),
    ("Cyr", "Rope, tar, a kettle, patience."),
]
QUERIES = [("The ferry", " waits"), ("Nobody", " mends nets"), ("A kettle of ", "tar")]

MODELS = {
    "llama": (LlamaForCausalLM, LlamaConfig(
        vocab_size=257, hidden_size=8, intermediate_size=12, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=48, attention_bias=True, bos_token_id=BOS, eos_token_id=BOS)),
    "gpt2": (GPT2LMHeadModel, GPT2Config(
        vocab_size=257, n_embd=8, n_layer=2, n_head=2, n_positions=48, n_inner=12, bos_token_id=BOS, eos_token_id=BOS)),
    "neox": (GPTNeoXForCausalLM, GPTNeoXConfig(
        vocab_size=257, hidden_size=8, intermediate_size=12, num_hidden_layers=2, num_attention_heads=2,
        max_position_embeddings=48, rotary_pct=0.5, bos_token_id=BOS, eos_token_id=BOS)),
    "phi3": (Phi3ForCausalLM, Phi3Config(
        vocab_size=257, hidden_size=8, intermediate_size=12, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=1, max_position_embeddings=48, original_max_position_embeddings=48, pad_token_id=0,
        bos_token_id=BOS, eos_token_id=BOS)),
}
HEADS = dict(split_attention_modules=["h.1.attn.c_attn"], attention=AttentionConfig(num_heads=6, head_size=4, head_dim=2))
INDEXES = {
    "llama": {
        "signs": (dict(projection_dim=4), {}),
        "plain": (dict(include_bias=True, filter_modules="layers.0.*"), {}),
        "normal": (dict(projection_dim=5, projection_type="normal", projection_seed=7, projection_scale="row_norm"),
                   dict(unit_normalize=True)),
        "tokens": (dict(projection_dim=2, attribute_tokens=True), {}),
        "half": (dict(projection_dim=4, precision="bf16", loss_reduction="mean"), {}),
    },
    "gpt2": {
        "biased": (dict(projection_dim=3, include_bias=True), {}),
        "heads": (dict(projection_dim=2, **HEADS), {}),
        "heads-biased": (dict(projection_dim=2, include_bias=True, **HEADS), {}),
        "heads-plain": (dict(include_bias=True, filter_modules="h.0.*,*mlp*", **HEADS), {}),
    },
    "neox": {
        "signs": (dict(projection_dim=4), {}),
        "plain": (dict(include_bias=True, filter_modules="layers.0.*"), {}),
    },
    "phi3": {"signs": (dict(projection_dim=4), {})},
}
MATRICES = [("layers.0.mlp.up_proj/left", 4, 300), ("h.11.attn.c_attn/right", 2, 130), ("x/left/seed9", 3, 7)]


def randomise(model, seed):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in model.named_parameters():
            noise = torch.randn(p.shape, generator=generator)
            is_gain = p.dim() == 1 and not name.endswith("bias")
            p.copy_(1 + 0.3 * noise if is_gain else 0.3 * noise)


def tokenizer(begins):
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    made = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(letters)}, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens(["<s>"])
    if begins:
        made.post_processor = processors.TemplateProcessing(
            single="<s> $A", pair="<s> $A $B", special_tokens=[("<s>", BOS)])
    return PreTrainedTokenizerFast(tokenizer_object=made, bos_token="<s>", eos_token="<s>")


def query_row(model, tok, config, preprocess, processor, sizes, prompt, target):
    """The continuation's gradient as bergson collects it, with its own settings; in float32."""
    before = tok(prompt)["input_ids"]
    after = tok(target, add_special_tokens=False)["input_ids"]
    ids = torch.tensor([before + after])
    collector = GradientCollector(
        model=model.base_model, cfg=config, processor=processor, data=Dataset.from_dict({"input_ids": [ids[0].tolist()]}),
        skip_index=True, preprocess_cfg=preprocess, filter_modules=config.filter_modules,
        attention_cfgs={m: config.attention for m in config.split_attention_modules})
    collector.attribute_tokens = False
    with collector.with_batch(None):
        logits = model(ids).logits[0, len(before) - 1 : -1]
        loss = torch.nn.functional.cross_entropy(logits, ids[0, len(before) :], reduction=config.loss_reduction)
        loss.backward()
        model.zero_grad()
    return _preprocess(dict(collector.mod_grads), sizes, None, preprocess.unit_normalize)[0].double().numpy()


def scores_of(folder, checkpoint, tok, config, preprocess):
    model = AutoModelForCausalLM.from_pretrained(checkpoint, dtype=torch.float32)
    info = json.loads((folder / "info.json").read_text())
    processor = GradientProcessor.load(folder, skip_hessians=True)
    rows = np.asarray(load_gradients(folder)).astype(np.float64)
    out = []
    for prompt, target in QUERIES:
        each = rows @ query_row(model, tok, config, preprocess, processor, info["grad_sizes"], prompt, target)
        if info["attribute_tokens"]:
            offsets = np.load(folder / "offsets.npy")
            each = np.array([each[a:b].sum() for a, b in zip(offsets, offsets[1:])])
        out.append({"prompt": prompt, "target": target, "scores": each.tolist()})
    return out


def make_index(out, name, model, tok, settings, preprocessing):
    with tempfile.TemporaryDirectory() as work:
        here = os.getcwd()
        os.chdir(work)
        shutil.copytree(out / model / "checkpoint", "checkpoint")
        shutil.copy(out / "examples.jsonl", "examples.jsonl")
        settings = {"precision": "fp32", **settings}
        config = IndexConfig(run_path="index", model="checkpoint", token_batch_size=48,
                             data=DataConfig(dataset="examples.jsonl"), **settings)
        preprocess = PreprocessConfig(**preprocessing)
        save_run_config(Build(config, preprocess), config.partial_run_path)
        build(config, preprocess)
        index, scores = pathlib.Path("index"), scores_of(pathlib.Path("index"), "checkpoint", tok, config, preprocess)
        to = out / model / name
        to.mkdir(parents=True)
        for file in KEPT:
            if (index / file).exists():
                shutil.copy(index / file, to / file)
        (to / "scores.json").write_text(json.dumps(scores) + "\n")
        os.chdir(here)


def first_version(name, m, n):
    seed = int.from_bytes(hashlib.md5(name.encode()).digest(), "big") % (2**63 - 1)
    drawn = np.random.Generator(np.random.PCG64(seed)).bytes(math.ceil(m * n / 8))
    bits = np.unpackbits(np.frombuffer(drawn, np.uint8))[: m * n].reshape(m, n)
    return torch.from_numpy(2.0 * bits.astype(np.float32) - 1)


def make_matrices(out):
    made = {}
    for name, m, n in MATRICES:
        made[f"1:rademacher:{name}"] = first_version(name, m, n)
        made[f"2:rademacher:{name}"] = random_matrix(name, m, n, "cpu", "rademacher")
        made[f"2:normal:{name}"] = random_matrix(name, m, min(n, 21), "cpu", "normal").contiguous()
    save_file(made, out / "projections.safetensors")


def main():
    default = pathlib.Path(__file__).resolve().parent.parent / "data" / "bergson"
    out = (pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else default).resolve()
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    torch.set_num_threads(1)
    make_matrices(out)
    lines = [json.dumps({"text": text, "author": author}) for author, text in EXAMPLES]
    (out / "examples.jsonl").write_text("\n".join(lines) + "\n")
    for seed, (model, (kind, config)) in enumerate(MODELS.items()):
        made = kind(config)
        randomise(made, seed)
        made.save_pretrained(out / model / "checkpoint")
        tok = tokenizer(model == "llama")
        tok.save_pretrained(out / model / "checkpoint")
        for name, (settings, preprocessing) in INDEXES[model].items():
            make_index(out, name, model, tok, settings, preprocessing)


main()
