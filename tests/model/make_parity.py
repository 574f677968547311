"""Makes tests/data/parity: tiny random models as `transformers` saves them, and what it computes with them.

    python3 tests/model/make_parity.py [OUTPUT]

Needs torch, transformers, safetensors. Each folder gets config.json and model.safetensors, exactly as save_pretrained()
writes them, and reference.safetensors: `ids` (sequences, length), `logits` (sequences, length, vocabulary), `loss` (1), the
summed negative log-likelihood of every next token, and `grad.NAME`, its gradient, for every parameter NAME.
"""

import pathlib
import sys

import torch
from safetensors.torch import save_file
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

SEQUENCES, LENGTH = 2, 18

LLAMA = dict(vocab_size=60, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=64)

MODELS = {
    # Grouped queries, heads wider than the model divided by their number, tied weights.
    "llama-gqa": (LlamaForCausalLM, LlamaConfig(
        **LLAMA, hidden_size=24, intermediate_size=40, head_dim=8, tie_word_embeddings=True, rope_theta=500.0)),
    "llama-bias": (LlamaForCausalLM, LlamaConfig(
        **LLAMA, hidden_size=16, intermediate_size=36, attention_bias=True, mlp_bias=True, rms_norm_eps=1e-3)),
    "gpt2": (GPT2LMHeadModel, GPT2Config(
        vocab_size=60, n_embd=20, n_layer=2, n_head=4, n_positions=32, n_inner=64, bos_token_id=0, eos_token_id=0)),
    "gpt2-erf": (GPT2LMHeadModel, GPT2Config(
        vocab_size=60, n_embd=16, n_layer=2, n_head=2, n_positions=32, activation_function="gelu", bos_token_id=0,
        eos_token_id=0)),
}


def randomise(model, seed):
    """Weights large enough to matter, gains and biases that are not 1 and 0."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in model.named_parameters():
            noise = torch.randn(p.shape, generator=generator)
            is_gain = p.dim() == 1 and not name.endswith("bias")
            p.copy_(1 + 0.3 * noise if is_gain else 0.25 * noise)


def reference(model, seed):
    ids = torch.randint(model.config.vocab_size, (SEQUENCES, LENGTH), generator=torch.Generator().manual_seed(seed))
    logits = model(ids).logits
    loss = torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), ids[:, 1:].flatten(), reduction="sum")
    loss.backward()
    out = {"ids": ids.to(torch.int32), "logits": logits.detach().contiguous(), "loss": loss.detach().reshape(1)}
    for name, p in model.named_parameters():
        out["grad." + name] = p.grad.contiguous()
    return out


def main():
    default = pathlib.Path(__file__).resolve().parent.parent / "data" / "parity"
    out = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else default
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(1)
    for seed, (name, (kind, config)) in enumerate(MODELS.items()):
        model = kind._from_config(config, attn_implementation="eager").eval()
        randomise(model, seed)
        folder = out / name
        folder.mkdir(parents=True, exist_ok=True)
        model.save_pretrained(folder)
        (folder / "generation_config.json").unlink(missing_ok=True)
        save_file(reference(model, 100 + seed), folder / "reference.safetensors")


if __name__ == "__main__":
    main()
