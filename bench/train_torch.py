"""A training step against PyTorch's eager one, in turn, in one run.

    python3 bench/train_torch.py bench/bench_step [ROUNDS]

Needs torch and transformers; the program is built by `make bench/bench_step`. Both train the same Llama of 11 million
parameters on 16 sequences of 256 random tokens, in float32, with AdamW and a clipped gradient, on as many threads; the
best step of all rounds counts on either side.
"""

import os
import subprocess
import sys
import time

import torch
from transformers import LlamaConfig, LlamaForCausalLM

BATCH, LENGTH, VOCAB, STEPS = 16, 256, 4096, 4


def setup():
    torch.manual_seed(1)
    config = LlamaConfig(vocab_size=VOCAB, hidden_size=320, intermediate_size=864, num_hidden_layers=8,
                         num_attention_heads=5, num_key_value_heads=5, head_dim=64, max_position_embeddings=LENGTH + 1,
                         tie_word_embeddings=True)
    models = {kind: LlamaForCausalLM._from_config(config, attn_implementation=kind).train() for kind in ("eager", "sdpa")}
    return {kind: (m, torch.optim.AdamW(m.parameters(), lr=1e-3)) for kind, m in models.items()}


def step(model, optimizer):
    ids = torch.randint(VOCAB, (BATCH, LENGTH + 1))
    begin = time.perf_counter()
    optimizer.zero_grad(set_to_none=True)
    logits = model(ids[:, :-1]).logits
    torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten()).backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return BATCH * LENGTH / (time.perf_counter() - begin)


def ours(program):
    out = subprocess.run([program, str(STEPS)], capture_output=True, text=True, check=True).stdout
    return float(out.split()[0]), out.strip()


def main():
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    theirs = setup()
    best = dict.fromkeys(theirs, 0.0)
    own, said = 0.0, ""
    for _ in range(rounds):
        for kind, (model, optimizer) in theirs.items():
            best[kind] = max([best[kind]] + [step(model, optimizer) for _ in range(STEPS)])
        rate, line = ours(sys.argv[1])
        own, said = max((own, said), (rate, line))
    print("byline:", said)
    for kind, rate in best.items():
        print(f"torch {torch.__version__}, attention {kind}: {rate:.0f} tokens a second; byline {own / rate:.2f} times as many")


if __name__ == "__main__":
    main()
