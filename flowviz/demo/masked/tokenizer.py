# ruff: noqa: SIM905
"""WordPiece in which every word of the lexicon is one token, wherever it stands.

Text is cut at spaces, digits from letters, and every punctuation mark stands alone; "->" and "'s"
are one.
The vocabulary is written and not learned: the special tokens, the words of the lexicon, numbers up
to 99 and their continuations (1732 is "17" "##32"), then single characters and their
continuations, so that an unknown word is spelled. A word with any other character is ``[UNK]``.
One text is ``[CLS] A [SEP]``, a pair ``[CLS] A [SEP] B [SEP]`` with type 1 for the second text.
"""

from __future__ import annotations

import json
import string
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from flowviz.demo.lexicon.words import EXTRA
from flowviz.demo.vocabulary import opening_forms, spaced_forms

PAD, UNKNOWN, START, END, MASK = SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
CONTEXT = 128
_PATTERN = r"'s(?!\p{L})|\p{L}+|\p{N}+|->|[^\s\p{L}\p{N}]"
_LATIN = "".join(chr(code) for code in range(0xC0, 0x180))
_ALSO = """secretaries item followed mean part like by well other upon it its there do does
    what answer""".split()


def build_tokenizer() -> Tokenizer:
    """The tokenizer; the same lexicon always gives the same one."""
    known = {piece: number for number, piece in enumerate(_vocabulary())}
    tokenizer = Tokenizer(models.WordPiece(known, unk_token=UNKNOWN, max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer(
        clean_text=True, handle_chinese_chars=True, strip_accents=False, lowercase=False
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.WhitespaceSplit(),
            pre_tokenizers.Split(Regex(_PATTERN), "isolated"),
        ]
    )
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.add_special_tokens(list(SPECIAL))
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{START} $A {END}",
        pair=f"{START} $A {END} $B:1 {END}:1",
        special_tokens=[(START, known[START]), (END, known[END])],
    )
    return tokenizer


def _vocabulary() -> list[str]:
    extra = [form for _, form in EXTRA]
    forms = (*spaced_forms(), *opening_forms(), *_ALSO, *extra, *(f.capitalize() for f in extra))
    words = [form for form in forms if not form.isdigit() and not form.isspace()]
    numbers = [*(str(n) for n in range(100)), *(f"{n:02d}" for n in range(100))]
    letters = [*string.ascii_letters, *_LATIN]
    marks = [mark for mark in string.punctuation if mark != "_"]
    pieces = [*SPECIAL, *words, *numbers, *(f"##{n}" for n in numbers), *letters]
    return list(dict.fromkeys([*pieces, *(f"##{letter}" for letter in letters), "_", *marks]))


def save_tokenizer(tokenizer: Tokenizer, folder: Path) -> None:
    """Write the two files that ``AutoTokenizer.from_pretrained`` reads."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "pad_token": PAD,
        "unk_token": UNKNOWN,
        "cls_token": START,
        "sep_token": END,
        "mask_token": MASK,
        "model_max_length": CONTEXT,
        "model_input_names": ["input_ids", "token_type_ids", "attention_mask"],
        "clean_up_tokenization_spaces": False,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n")
