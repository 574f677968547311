"""Makes tests/data/parity: tiny random models as `transformers` saves them, and what it computes with them.

    python3 tests/model/make_parity.py [OUTPUT]

Needs torch, transformers, safetensors. Each folder gets config.json and model.safetensors, exactly as save_pretrained()
writes them, and reference.safetensors: `ids` (tokens), sequences of several lengths end to end, `lengths` (sequences),
`logits` (tokens, vocabulary), `loss` (1), the summed negative log-likelihood of every next token, and `grad.NAME`, its
gradient, for every parameter NAME. `transformers` computes them as one padded batch under a mask.
"""

import pathlib
import sys

import torch
import transformers
from safetensors.torch import save_file
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

LENGTHS = (18, 11)

LLAMA = dict(vocab_size=60, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=64)
SMALL = dict(LLAMA, hidden_size=16, intermediate_size=36)


def family(name, **config):
    """Of transformers' classes for that name."""
    return getattr(transformers, name + "ForCausalLM"), getattr(transformers, name + "Config")(**config)


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
    # Frequencies kept, between, and stretched: all three within eight positions' worth of turns.
    "llama3": family("Llama", **SMALL, head_dim=16, rope_parameters=dict(
        rope_type="llama3", rope_theta=100.0, factor=4.0, low_freq_factor=1.0, high_freq_factor=4.0,
        original_max_position_embeddings=32)),
    "llama-linear": family("Llama", **SMALL, rope_parameters=dict(rope_type="linear", rope_theta=10000.0, factor=3.0)),
    "llama-yarn": family("Llama", **SMALL, head_dim=16, rope_parameters=dict(
        rope_type="yarn", rope_theta=200.0, factor=4.0, original_max_position_embeddings=16)),
    "mistral": family("Mistral", **SMALL, sliding_window=5, head_dim=6),
    "qwen2": family("Qwen2", **SMALL, tie_word_embeddings=True),
    "qwen2-window": family("Qwen2", **SMALL, use_sliding_window=True, sliding_window=4, max_window_layers=1),
    "qwen3": family("Qwen3", **SMALL, head_dim=8, tie_word_embeddings=True),
    "olmo": family("Olmo", **dict(SMALL, num_key_value_heads=4), clip_qkv=0.7, pad_token_id=None, eos_token_id=0),
    "olmo2": family("Olmo2", **SMALL, pad_token_id=None, eos_token_id=0),
    "gemma": family("Gemma", **SMALL, head_dim=8),
    "gemma2": family("Gemma2", **SMALL, head_dim=8, sliding_window=6, query_pre_attn_scalar=12,
                     attn_logit_softcapping=2.0, final_logit_softcapping=3.0),
    "gpt-neo": family("GPTNeo", vocab_size=60, hidden_size=16, num_layers=4, num_heads=2, window_size=5,
                      attention_types=[[["global", "local"], 2]], max_position_embeddings=32, bos_token_id=0,
                      eos_token_id=0),
    "gpt-neox": family("GPTNeoX", vocab_size=60, hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
                       intermediate_size=48, max_position_embeddings=64, eos_token_id=0),
    "gpt-neox-sequential": family("GPTNeoX", vocab_size=60, hidden_size=24, num_hidden_layers=2, num_attention_heads=2,
                                  intermediate_size=48, max_position_embeddings=64, use_parallel_residual=False,
                                  rope_parameters=dict(rope_type="default", rope_theta=500.0, partial_rotary_factor=1.0),
                                  attention_bias=False, eos_token_id=0),
    "phi": family("Phi", **SMALL),
    "phi3": family("Phi3", **SMALL, sliding_window=7, pad_token_id=None, eos_token_id=0),
    "stablelm": family("StableLm", **dict(SMALL, hidden_size=32), use_qkv_bias=True),
    "stablelm-parallel": family("StableLm", **dict(SMALL, hidden_size=32), use_parallel_residual=True),
    "starcoder2": family("Starcoder2", **SMALL, sliding_window=6, bos_token_id=0, eos_token_id=0),
    # Two layers with a window to one without, each kind with rotary positions of its own.
    "gemma3": (transformers.Gemma3ForCausalLM, transformers.Gemma3TextConfig(
        **dict(SMALL, num_hidden_layers=3), head_dim=8, sliding_window=6, sliding_window_pattern=3,
        query_pre_attn_scalar=12, final_logit_softcapping=4.0, pad_token_id=None, rope_parameters=dict(
            sliding_attention=dict(rope_type="default", rope_theta=50.0),
            full_attention=dict(rope_type="linear", rope_theta=300.0, factor=4.0)))),
    "smollm3": family("SmolLM3", **SMALL, head_dim=8, no_rope_layers=[0, 1], pad_token_id=None, bos_token_id=0,
                      eos_token_id=0),
    "smollm3-window": family("SmolLM3", **dict(SMALL, num_hidden_layers=3), no_rope_layer_interval=2,
                             use_sliding_window=True, sliding_window=5, pad_token_id=None, bos_token_id=0,
                             eos_token_id=0, tie_word_embeddings=False),
    "olmo3": family("Olmo3", **SMALL, head_dim=8, sliding_window=5, pad_token_id=None, eos_token_id=0,
                    layer_types=["sliding_attention", "full_attention"], rope_parameters=dict(
                        sliding_attention=dict(rope_type="default", rope_theta=200.0),
                        full_attention=dict(rope_type="yarn", rope_theta=200.0, factor=4.0,
                                            original_max_position_embeddings=16))),
    "granite": family("Granite", **SMALL, embedding_multiplier=3.0, attention_multiplier=0.3, residual_multiplier=0.4,
                      logits_scaling=2.5, attention_bias=True, mlp_bias=True, tie_word_embeddings=True),
    "gptj": family("GPTJ", vocab_size=60, n_embd=24, n_layer=2, n_head=2, n_inner=40, n_positions=64, rotary_dim=8,
                   bos_token_id=0, eos_token_id=0),
    "opt": family("OPT", vocab_size=60, hidden_size=16, ffn_dim=36, num_hidden_layers=2, num_attention_heads=4,
                  max_position_embeddings=32, pad_token_id=None),
    # As Galactica is made.
    "opt-gelu": family("OPT", vocab_size=60, hidden_size=16, ffn_dim=36, num_hidden_layers=2, num_attention_heads=2,
                       max_position_embeddings=32, activation_function="gelu", enable_bias=False, pad_token_id=None),
    "cohere": family("Cohere", **SMALL, head_dim=8, logit_scale=0.3, pad_token_id=None, bos_token_id=0,
                     eos_token_id=0),
    "falcon": family("Falcon", vocab_size=60, hidden_size=24, num_hidden_layers=2, num_attention_heads=3,
                     ffn_hidden_size=36, max_position_embeddings=64),
    "falcon-groups": family("Falcon", vocab_size=60, hidden_size=16, num_hidden_layers=2, num_attention_heads=4,
                            num_kv_heads=2, ffn_hidden_size=36, new_decoder_architecture=True, bias=True,
                            max_position_embeddings=64),
    "falcon-sequential": family("Falcon", vocab_size=60, hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
                                multi_query=False, parallel_attn=False, ffn_hidden_size=36, max_position_embeddings=64),
    "phi3-long": family("Phi3", **dict(SMALL, num_hidden_layers=1), original_max_position_embeddings=32,
                        pad_token_id=None, eos_token_id=0, rope_parameters=dict(
                            rope_type="longrope", rope_theta=100.0, short_factor=[1.1, 1.7], long_factor=[2.0, 7.0],
                            original_max_position_embeddings=32)),
    "cohere2": family("Cohere2", **SMALL, layer_types=["full_attention", "sliding_attention"], sliding_window=5,
                      logit_scale=0.5, pad_token_id=None, bos_token_id=0, eos_token_id=0),
    "gpt-bigcode": family("GPTBigCode", vocab_size=60, n_embd=16, n_layer=2, n_head=4, n_positions=32, n_inner=36,
                          bos_token_id=0, eos_token_id=0),
}


# Parameters that files call otherwise.
SAVED = {("gpt_neox", "lm_head.weight"): "embed_out.weight"}


def randomise(model, seed):
    """Weights large enough to matter, gains and biases that are not 1 and 0."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in model.named_parameters():
            noise = torch.randn(p.shape, generator=generator)
            is_gain = p.dim() == 1 and not name.endswith("bias")
            one = 0 if model.config.model_type.startswith("gemma") else 1
            p.copy_(one + 0.3 * noise if is_gain else 0.25 * noise)


def reference(model, seed):
    generator = torch.Generator().manual_seed(seed)
    rows = [torch.randint(model.config.vocab_size, (n,), generator=generator) for n in LENGTHS]
    ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
    mask = torch.nn.utils.rnn.pad_sequence([torch.ones_like(r) for r in rows], batch_first=True)
    logits = model(ids, attention_mask=mask).logits
    here, following = mask[:, :-1] * mask[:, 1:] == 1, ids[:, 1:]
    loss = torch.nn.functional.cross_entropy(logits[:, :-1][here], following[here], reduction="sum")
    loss.backward()
    out = {"ids": torch.cat(rows).to(torch.int32), "lengths": torch.tensor(LENGTHS, dtype=torch.int32),
           "logits": logits[mask == 1].detach().contiguous(), "loss": loss.detach().reshape(1)}
    for name, p in model.named_parameters():
        out["grad." + SAVED.get((model.config.model_type, name), name)] = p.grad.contiguous()
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
