"""Makes tests/data/gguf: small random models as llama.cpp's converter lays them out, and what `transformers` computes with them.

    python3 tests/model/make_gguf.py [OUTPUT]

Needs torch, transformers, tokenizers, safetensors, gguf. Each NAME.gguf has a model with a tokenizer inside; NAME.safetensors
has `ids` (length), the `logits` after each (length, vocabulary) of the model with the numbers that the GGUF file's round to, and
`text`, the tokens of TEXT by the `tokenizers` library. The GGUF file is read back by `transformers` too where that can.
"""

import copy
import json
import pathlib
import sys

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as T
from safetensors.torch import save_file
from tokenizers import Tokenizer
from transformers import (AutoModelForCausalLM, Gemma3ForCausalLM, Gemma3TextConfig, GPT2Config, GPT2LMHeadModel, LlamaConfig,
                          LlamaForCausalLM)

import make_parity

VOCAB, LENGTH = 288, 10
# Merges that show where a text was split.
TELLING = [["\u0120", "1"], ["1", "2"], ["12", "3"], ["3", "4"], ["4", "5"], ["\u0120", "2"], ["2", "4"], ["'", "s"]]
TEXT = "The tide's turned:  24 boats, 12345 lamps\n\n and <|endoftext|> caf\u00e9 \u706f!"

LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|"
          r"\s*[\r\n]+|\s+(?!\S)|\s+")

LLAMA = LlamaConfig(
    vocab_size=VOCAB, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
    head_dim=16, max_position_embeddings=64, rope_theta=500.0, rms_norm_eps=1e-5, tie_word_embeddings=False, bos_token_id=0,
    eos_token_id=0)
GPT2 = GPT2Config(
    vocab_size=VOCAB, n_embd=32, n_layer=2, n_head=2, n_positions=32, n_inner=128, bos_token_id=0, eos_token_id=0)

NAMES = {
    "model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output", "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm", "self_attn.k_norm": "attn_k_norm", "post_attention_layernorm": "ffn_norm",
    "pre_feedforward_layernorm": "ffn_norm", "post_feedforward_layernorm": "post_ffw_norm",
    "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
    # Phi-3, StarCoder2
    "self_attn.qkv_proj": "attn_qkv", "mlp.gate_up_proj": "ffn_up", "mlp.c_fc": "ffn_up", "mlp.c_proj": "ffn_down",
    # GPT-2
    "transformer.wte": "token_embd", "transformer.wpe": "position_embd", "transformer.ln_f": "output_norm", "ln_1": "attn_norm",
    "attn.c_attn": "attn_qkv", "attn.c_proj": "attn_output", "ln_2": "ffn_norm", "mlp.c_fc": "ffn_up", "mlp.c_proj": "ffn_down",
    # GPT-NeoX
    "gpt_neox.embed_in": "token_embd", "gpt_neox.final_layer_norm": "output_norm", "embed_out": "output",
    "attention.query_key_value": "attn_qkv", "attention.dense": "attn_output", "mlp.dense_h_to_4h": "ffn_up",
    "mlp.dense_4h_to_h": "ffn_down",
    # Phi
    "model.final_layernorm": "output_norm", "self_attn.dense": "attn_output", "mlp.fc1": "ffn_up", "mlp.fc2": "ffn_down",
    # Falcon
    "transformer.word_embeddings": "token_embd", "ln_attn": "attn_norm_2", "ln_mlp": "attn_norm",
    "self_attention.query_key_value": "attn_qkv", "self_attention.dense": "attn_output",
}
ADDS_ONE = ("gemma", "gemma2", "gemma3_text")
PAIRED = ("llama", "olmo", "smollm3", "granite")
POST = dict(NAMES, post_attention_layernorm="post_attention_norm")


def randomise(model, seed):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in model.named_parameters():
            noise = torch.randn(p.shape, generator=generator)
            p.copy_(1 + 0.3 * noise if p.dim() == 1 and not name.endswith("bias") else 0.25 * noise)


def name_of(model, name):
    names = POST if model.config.model_type in ("gemma2", "gemma3_text", "olmo2", "olmo3") else NAMES
    stem, end = name.rsplit(".", 1)
    for before in ("model.layers.", "transformer.h.", "gpt_neox.layers."):
        if stem.startswith(before):
            layer, inner = stem[len(before):].split(".", 1)
            return f"blk.{layer}.{names[inner]}.{end}"
    return f"{names[stem]}.{end}"


def change(model, name, v, undo=False):
    """What the converter does to a parameter before it writes it, or the way back."""
    c = model.config
    if c.model_type == "gpt2" and v.ndim == 2 and ".h." in name:
        return v.T
    if c.model_type in ADDS_ONE and "norm" in name:
        return v - 1 if undo else v + 1
    if c.model_type == "falcon" and "query_key_value" in name:   # of each key its queries, itself and its value
        heads, keys = c.num_attention_heads, c.num_kv_heads if c.new_decoder_architecture else 1
        part = c.hidden_size // c.num_attention_heads
        order = np.arange(v.shape[0]).reshape(keys, heads // keys + 2, part)
        order = np.concatenate([order[:, :-2].ravel(), order[:, -2].ravel(), order[:, -1].ravel()])
        return v[np.argsort(order)] if undo else v[order]
    if "query_key_value" in name:   # of each head its query, key and value: all queries first
        shape = (3, c.num_attention_heads, -1) if undo else (c.num_attention_heads, 3, -1)
        return v.reshape(*shape, *v.shape[1:]).swapaxes(0, 1).reshape(v.shape)
    if c.model_type in PAIRED and ("q_proj" in name or "k_proj" in name):
        # Of each head row 0, row n/2, row 1 and so on, so that rotary pairs are neighbours.
        heads = c.num_attention_heads if "q_proj" in name else c.num_key_value_heads
        shape = (heads, -1, 2) if undo else (heads, 2, -1)
        return v.reshape(*shape, *v.shape[1:]).swapaxes(1, 2).reshape(v.shape)
    return v


def write_tensors(writer, model, kind):
    """Writes the tensors and leaves in the model what they round to."""
    for name, p in model.named_parameters():
        v = np.ascontiguousarray(change(model, name, p.detach().numpy()))
        wanted = kind if v.ndim == 2 and "wpe" not in name else T.F32
        raw = gguf.quants.quantize(v, wanted)
        writer.add_tensor(name_of(model, name), raw, raw_dtype=wanted)
        rounded = change(model, name, gguf.quants.dequantize(raw, wanted), undo=True)
        with torch.no_grad():
            p.copy_(torch.from_numpy(np.ascontiguousarray(rounded)))


def small_tokenizer(pre):
    """The first merges of the tokenizer that the tokenizer's own tests have."""
    base = json.loads((pathlib.Path(__file__).resolve().parent.parent / "data" / "tokenizer" / "base.json").read_text())
    words = sorted(base["model"]["vocab"], key=base["model"]["vocab"].get)[:VOCAB]
    base["model"]["vocab"] = {w: i for i, w in enumerate(words)}
    pairs = [m if isinstance(m, list) else m.split(" ") for m in base["model"]["merges"]]
    base["model"]["merges"] = [m for m in pairs if "".join(m) in base["model"]["vocab"]]
    if pre in ("command-r", "falcon"):
        base["model"]["merges"] += TELLING
        words += ["".join(m) for m in TELLING]
        base["model"]["vocab"] = {w: i for i, w in enumerate(words)}
    if pre == "llama-bpe":
        split = {"type": "Split", "pattern": {"Regex": LLAMA3}, "behavior": "Isolated", "invert": False}
        step = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
        base["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": [split, step]}
        base["model"]["ignore_merges"] = True
    step = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    if pre == "command-r":
        base["normalizer"] = {"type": "NFC"}
        base["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": True}, step]}
    if pre == "falcon":
        three = {"type": "Split", "pattern": {"Regex": "[0-9][0-9][0-9]"}, "behavior": "Isolated", "invert": False}
        base["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": [
            {"type": "Punctuation", "behavior": "Contiguous"}, step, three]}
    return words, base


def write_tokenizer(writer, pre):
    words, base = small_tokenizer(pre)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(words)
    writer.add_token_types([gguf.TokenType.CONTROL if w == "<|endoftext|>" else gguf.TokenType.NORMAL for w in words])
    writer.add_token_merges([" ".join(m) for m in base["model"]["merges"]])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(0)
    return Tokenizer.from_str(json.dumps(base)).encode(TEXT).ids


def write_gpt2(writer, c):
    writer.add_block_count(c.n_layer)
    writer.add_context_length(c.n_positions)
    writer.add_embedding_length(c.n_embd)
    writer.add_feed_forward_length(c.n_inner)
    writer.add_head_count(c.n_head)
    writer.add_layer_norm_eps(c.layer_norm_epsilon)
    if c.model_type == "gpt_bigcode":
        writer.add_head_count_kv(1)


def write_longrope(writer, c, rope):
    original = rope["original_max_position_embeddings"]
    writer.add_rope_scaling_orig_ctx_len(original)
    writer.add_rope_scaling_attn_factors((1 + np.log(c.max_position_embeddings / original) / np.log(original)) ** 0.5)
    for which in ("long", "short"):
        writer.add_tensor(f"rope_factors_{which}.weight", np.array(rope[f"{which}_factor"], dtype=np.float32))


def write_rope(writer, c, head):
    rope = c.rope_parameters
    if "full_attention" in rope:
        if c.model_type != "gemma3_text" or rope["sliding_attention"]["rope_theta"] != 10000.0:
            writer.add_rope_freq_base_swa(rope["sliding_attention"]["rope_theta"])
        rope = rope["full_attention"]
    if c.model_type == "falcon":
        return
    writer.add_rope_freq_base(rope["rope_theta"])
    if rope["rope_type"] == "longrope":
        write_longrope(writer, c, rope)
    if c.model_type not in ADDS_ONE:
        writer.add_rope_dimension_count(int(head * rope.get("partial_rotary_factor", 1)))
    if rope["rope_type"] == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(rope["factor"])
    if rope["rope_type"] == "yarn":
        writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
        writer.add_rope_scaling_factor(rope["factor"])
        writer.add_rope_scaling_orig_ctx_len(rope["original_max_position_embeddings"])
        if "attention_factor" in rope:
            writer.add_rope_scaling_yarn_attn_factor(rope["attention_factor"])
        if "beta_fast" in rope:
            writer.add_rope_scaling_yarn_beta_fast(rope["beta_fast"])
            writer.add_rope_scaling_yarn_beta_slow(rope["beta_slow"])
    if rope["rope_type"] == "llama3":
        turns = rope["rope_theta"] ** -(np.arange(0, head, 2) / head) * rope["original_max_position_embeddings"] / (2 * np.pi)
        low, high = rope["low_freq_factor"], rope["high_freq_factor"]
        smooth = np.clip((turns - low) / (high - low), 0, 1)
        divisors = 1 / ((1 - smooth) / rope["factor"] + smooth)
        writer.add_tensor("rope_freqs.weight", divisors.astype(np.float32))


def write_keys(writer, c):
    head = getattr(c, "head_dim", None) or c.hidden_size // c.num_attention_heads
    writer.add_block_count(c.num_hidden_layers)
    writer.add_context_length(c.max_position_embeddings)
    writer.add_embedding_length(c.hidden_size)
    writer.add_feed_forward_length(getattr(c, "ffn_hidden_size", None) or c.intermediate_size)
    writer.add_head_count(c.num_attention_heads)
    if c.model_type == "falcon":
        writer.add_tensor_data_layout("jploski")
        writer.add_head_count_kv(c.num_kv_heads if c.new_decoder_architecture else 1)
    elif getattr(c, "num_key_value_heads", None):
        writer.add_head_count_kv(c.num_key_value_heads)
    if head * c.num_attention_heads != c.hidden_size:
        writer.add_key_length(head)
        writer.add_value_length(head)
    writer.add_vocab_size(c.vocab_size)
    write_rope(writer, c, head)
    if hasattr(c, "rms_norm_eps"):
        writer.add_layer_norm_rms_eps(c.rms_norm_eps)
    else:
        names = ("layer_norm_eps", "norm_epsilon", "layer_norm_epsilon")
        writer.add_layer_norm_eps(next((getattr(c, name) for name in names if hasattr(c, name)), 1e-5))
    if c.model_type == "phi3":
        writer.add_sliding_window(c.sliding_window or 0)
    if c.model_type in ("gpt_neox", "stablelm"):
        writer.add_parallel_residual(c.use_parallel_residual)
    if c.model_type == "olmo":
        writer.add_clamp_kqv(c.clip_qkv)
    if c.model_type == "starcoder2":
        c.sliding_window = None   # GGUF files do not have it
    if c.model_type == "gemma2":
        writer.add_attn_logit_softcapping(c.attn_logit_softcapping)
        writer.add_final_logit_softcapping(c.final_logit_softcapping)
        writer.add_sliding_window(c.sliding_window)
    if c.model_type in ("gemma3_text", "olmo3", "cohere2"):
        write_windows(writer, c)
    if c.model_type == "gemma3_text" and c.final_logit_softcapping:
        writer.add_final_logit_softcapping(c.final_logit_softcapping)
    if c.model_type == "granite":
        writer.add_attention_scale(c.attention_multiplier)
        writer.add_embedding_scale(c.embedding_multiplier)
        writer.add_residual_scale(c.residual_multiplier)
        writer.add_logit_scale(c.logits_scaling)
    if c.model_type in ("cohere", "cohere2"):
        writer.add_logit_scale(c.logit_scale)
        writer.add_rope_scaling_type(gguf.RopeScalingType.NONE)


def write_windows(writer, c):
    """A number where every so manieth layer has none, a list otherwise, nothing where it is as the architecture has it."""
    local = [t == "sliding_attention" for t in c.layer_types]
    writer.add_sliding_window(c.sliding_window)
    if any(local[i] != ((i + 1) % 6 != 0) for i in range(len(local))) or c.model_type != "gemma3_text":
        writer.add_sliding_window_pattern(3 if local == [True, True, False] else local)


MODELS = {
    "llama-f32": ("llama", LlamaForCausalLM, LLAMA, "llama-bpe", T.F32),
    "llama-f16": ("llama", LlamaForCausalLM, LLAMA, "llama-bpe", T.F16),
    "llama-q8_0": ("llama", LlamaForCausalLM, LLAMA, "llama-bpe", T.Q8_0),
    "gpt2-f16": ("gpt2", GPT2LMHeadModel, GPT2, "gpt-2", T.F16),
    "gpt2-bf16": ("gpt2", GPT2LMHeadModel, GPT2, "gpt-2", T.BF16),
    "gpt2-q8_0": ("gpt2", GPT2LMHeadModel, GPT2, "gpt-2", T.Q8_0),
}

# Models of tests/data/parity, without tokenizers; what GGUF does not say has the value that llama.cpp takes.
FAMILIES = {
    "llama3": "llama", "llama-linear": "llama", "llama-bias": "llama", "qwen2": "qwen2", "qwen3": "qwen3", "olmo": "olmo",
    "olmo2": "olmo2", "gemma": "gemma", "gemma2": "gemma2", "gpt-neox": "gptneox", "gpt-neox-sequential": "gptneox",
    "phi": "phi2", "phi3": "phi3", "stablelm": "stablelm", "stablelm-parallel": "stablelm", "starcoder2": "starcoder2",
    "llama-yarn": "llama",
}
# Added later, after what was there.
LATER = {
    "gemma3": "gemma3", "olmo3": "olmo2", "granite": "granite", "cohere": "command-r",
    "cohere2": "cohere2", "falcon": "falcon", "phi3-long": "phi3", "gpt-bigcode": "starcoder",
}
YARN = make_parity.family("Llama", **make_parity.SMALL, head_dim=16, rope_parameters=dict(
    rope_type="yarn", rope_theta=200.0, factor=4.0, original_max_position_embeddings=16, attention_factor=0.9,
    beta_fast=3.0, beta_slow=0.5))
TINY = dict(make_parity.SMALL, hidden_size=8, intermediate_size=12, num_attention_heads=2, num_key_value_heads=1, vocab_size=40)
# What no file says, the architecture has.
OTHERS = {
    "gemma3-silent": ("gemma3", (Gemma3ForCausalLM, Gemma3TextConfig(
        **dict(TINY, num_hidden_layers=7), head_dim=8, sliding_window=4, query_pre_attn_scalar=8, pad_token_id=None,
        rope_parameters=dict(sliding_attention=dict(rope_type="default", rope_theta=10000.0),
                             full_attention=dict(rope_type="default", rope_theta=300.0))))),
    "smollm3": ("smollm3", make_parity.family(
        "SmolLM3", **dict(TINY, num_hidden_layers=5), no_rope_layer_interval=4, pad_token_id=None, bos_token_id=0,
        eos_token_id=0)),
    "falcon-groups": ("falcon", make_parity.family(
        "Falcon", vocab_size=60, hidden_size=16, num_hidden_layers=2, num_attention_heads=4, num_kv_heads=2,
        ffn_hidden_size=36, new_decoder_architecture=True, max_position_embeddings=64)),
}
CONFIGS = {
    **{name: (arch, make_parity.MODELS[name]) for name, arch in FAMILIES.items()}, "llama-yarn-factors": ("llama", YARN),
    **{name: (arch, make_parity.MODELS[name]) for name, arch in LATER.items()}, **OTHERS,
}
for name, (arch, (kind, config)) in CONFIGS.items():
    if name in ("gemma2", "gemma3"):
        config.query_pre_attn_scalar = config.head_dim
    MODELS[name] = (arch, kind, config, None, T.F16)
WORDS = dict(TINY, vocab_size=VOCAB + len(TELLING), num_hidden_layers=1)
for arch, name, kind in (("command-r", "Cohere", WORDS), ("falcon", "Falcon", dict(WORDS, num_kv_heads=1, ffn_hidden_size=12))):
    kind, config = make_parity.family(name, **kind, bos_token_id=0, eos_token_id=0)
    MODELS[f"{arch}-tokens"] = (arch, kind, config, arch, T.F16)


def check(path, ids, logits):
    """Does `transformers` see the same model in the file?"""
    try:
        model = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32).eval()
        with torch.no_grad():
            far = (model(ids[None]).logits[0] - logits).abs().max().item()
        print(f"{path.name}: transformers reads it and differs by {far:.2g}")
    except Exception as e:  # noqa: BLE001, whatever it cannot do is only worth a line
        print(f"{path.name}: transformers does not read it ({type(e).__name__}: {str(e)[:200]})")


SPLIT = {"qwen3": 9}    # tensors a file


def write_split(out, name, arch, model, config, stored_as):
    """The same model in several files, which the writer names after how many there are."""
    (out / "parts").mkdir(exist_ok=True)
    writer = gguf.GGUFWriter(out / "parts" / f"{name}.gguf", arch, split_max_tensors=SPLIT[name])
    write_keys(writer, config)
    write_tensors(writer, copy.deepcopy(model), stored_as)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main():
    default = pathlib.Path(__file__).resolve().parent.parent / "data" / "gguf"
    out = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else default
    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    for seed, (name, (arch, kind, config, pre, stored_as)) in enumerate(MODELS.items()):
        model = kind._from_config(config, attn_implementation="eager").eval()
        (make_parity if pre is None else sys.modules[__name__]).randomise(model, seed)
        path = out / f"{name}.gguf"
        writer = gguf.GGUFWriter(path, arch)
        if name in SPLIT:
            write_split(out, name, arch, model, config, stored_as)
        (write_gpt2 if arch in ("gpt2", "starcoder") else write_keys)(writer, config)
        text = write_tokenizer(writer, pre) if pre else []
        write_tensors(writer, model, stored_as)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        ids = torch.randint(config.vocab_size, (LENGTH,), generator=torch.Generator().manual_seed(100 + seed))
        with torch.no_grad():
            logits = model(ids[None]).logits[0]
        check(path, ids, logits)
        out_file = out / f"{name}.safetensors"
        save_file({"ids": ids.to(torch.int32), "logits": logits.contiguous(), "text": torch.tensor(text, dtype=torch.int32)},
                  out_file)
        out_file.chmod(0o644)


if __name__ == "__main__":
    main()
