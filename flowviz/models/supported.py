"""Architectures on which laws 1 to 3 are held by tests: sequential blocks, norms before them."""

SUPPORTED = ("GPT2LMHeadModel", "LlamaForCausalLM")
