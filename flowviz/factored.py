"""From a prompt to its factors, and from texts to the loss that reconstructions keep: in Python."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowviz.attended import Model, loaded_model
from flowviz.contexts.encode import open_reader
from flowviz.contexts.encode.types import Reader
from flowviz.contexts.kinds import Site
from flowviz.demo.folder import FACTORS_FOLDER
from flowviz.errors import RequestError
from flowviz.factors import prompt as prompt_module
from flowviz.factors.asking import words_of
from flowviz.factors.dictionary.files import load_dictionary
from flowviz.factors.dictionary.loaded import LoadedDictionary
from flowviz.factors.fits import check_fits
from flowviz.factors.json import prompt_to_json
from flowviz.factors.look.files import open_survey
from flowviz.factors.look.surveyed import Survey
from flowviz.factors.look.types import PromptFactors
from flowviz.factors.request import DEFAULT, FactorsRequest
from flowviz.factors.shelf import Dictionaries, placed
from flowviz.factors.splice import Losses, splice
from flowviz.factors.types import Dictionary
from flowviz.jobs import Progress

if TYPE_CHECKING:
    import pandas as pd

Source = Dictionary | str | Path


@dataclass(frozen=True, eq=False)
class FactoredPrompt:
    """A prompt's factors, with the dictionary that they are of."""

    found: PromptFactors
    dictionary: Dictionary

    def to_json(self) -> str:
        """What was found as versioned JSON."""
        return prompt_to_json(self.found, self.dictionary.about)

    def table(self) -> pd.DataFrame:
        """A row for each shown factor that is active at a token of a site."""
        import pandas as pd

        from flowviz.views.factors.tables import prompt_table

        table = prompt_table(self.found)
        return pd.DataFrame(table.rows, columns=list(table.columns))

    def places(self) -> pd.DataFrame:
        """A row for each token of each site: how many factors, and how much they explain."""
        import pandas as pd

        found = self.found
        active = (found.activations > 0).sum(0) + found.others
        rows: list[dict[str, Any]] = [
            {"site": str(site), "position": at, "token": token.text,
             "active": int(active[s, at]), "explained": float(found.explained[s, at])}
            for s, site in enumerate(found.sites)
            for at, token in enumerate(found.tokens)
        ]  # fmt: skip
        return pd.DataFrame(rows, columns=["site", "position", "token", "active", "explained"])

    def losses(self) -> pd.DataFrame:
        """A row for each site: the prompt's loss in nats, clean and with that site spliced."""
        import pandas as pd

        rows = [
            {"site": str(site), "clean": self.found.loss, "spliced": spliced}
            for site, spliced in zip(self.found.sites, self.found.spliced, strict=False)
        ]
        return pd.DataFrame(rows, columns=["site", "clean", "spliced"])


def open_dictionary(source: str | Path) -> LoadedDictionary:
    """A dictionary of factors: one that ships, by its name, or one in a folder.

    Args:
        source: a name (`"coding"`, `"topk"`), or a folder that `factors train` made or SAELens.

    Raises:
        RequestError: there is none, or it is broken, or of a kind that cannot be read.
    """
    return load_dictionary(_folder(source))


def _folder(source: str | Path) -> Path:
    is_name = str(source) in Dictionaries().names() and not Path(source).is_dir()
    return FACTORS_FOLDER / source if is_name else Path(source)


def prompt_factors(
    prompt: str, model: Model = "demo", dictionary: Source = DEFAULT, *, most: int = 40
) -> FactoredPrompt:
    """The factors of a prompt: which are active at which token of which site, and how strongly.

    Args:
        prompt: the text to run.
        model: as `attention_maps` takes it: a GPT or an encoder.
        dictionary: what `open_dictionary` gives or takes.
        most: how many factors are shown, those that are strongest in all. Their words are those of
            the survey that lies beside the dictionary, where there is one.

    Raises:
        RequestError: the prompt cannot be read, or the dictionary is not one of the model.
        ModelError: the model cannot be loaded.

    Example:
        >>> prompt_factors("The capital of Japan is the city of").found.activations.shape
        (40, 10, 8)
    """
    if not 1 <= most <= 10_000:
        raise RequestError(f"most is {most:,}; it takes a whole number from 1 to 10,000.")
    request = FactorsRequest.from_mapping({"prompt": prompt})
    if not request.prompt:
        raise RequestError("The prompt is empty. Type some text.")
    loaded = loaded_model(model)
    reader = open_reader(loaded)
    opened = _fitted(reader, dictionary)
    named = replace(request, model=loaded.shape.name, dictionary=opened.about.name)
    words = partial(_words, _survey(dictionary, opened, reader))
    found = prompt_module.prompt_factors(loaded, opened, named, words=words, most=most)
    return FactoredPrompt(found, opened)


def loss_recovered(
    texts: Sequence[str],
    model: Model = "demo",
    dictionary: Source = DEFAULT,
    *,
    sites: Sequence[Site | str] | None = None,
    progress: Progress = lambda _stage, _fraction: None,
) -> Losses:
    """How much of the loss is kept when a model runs on a dictionary's reconstructions.

    Args:
        texts: over which losses and the means of the ablation are taken.
        model, dictionary: as `prompt_factors` takes them.
        sites: some of the dictionary's, as in `"resid_mid:3"`; None for all.
        progress: told what is done; may raise to stop.

    Raises:
        RequestError: as `prompt_factors`, or the model predicts no tokens of what it reads.
        ModelError: the model cannot be loaded.

    Example:
        >>> 0 < loss_recovered(["The king lives in the castle."]).recovered_in_all < 1
        True
    """
    loaded = loaded_model(model)
    reader = open_reader(loaded)
    opened = _fitted(reader, dictionary)
    asked = [each if isinstance(each, Site) else Site.parse(each) for each in sites or ()]
    read = [reader.tokens(text) for text in texts]
    return splice(loaded, opened, read, sites=asked or None, progress=progress)


def _survey(source: Source, dictionary: Dictionary, reader: Reader) -> Survey | None:
    """The survey beside a dictionary, where it lies in a folder and has one of this model."""
    if not isinstance(source, str | Path):
        return None
    try:
        return open_survey(_folder(source) / "survey", dictionary, reader)
    except RequestError:
        return None


def _words(surveyed: Survey | None, factors: Sequence[int]) -> list[str]:
    return [""] * len(factors) if surveyed is None else words_of(surveyed, factors)


def _fitted(reader: Reader, source: Source) -> Dictionary:
    """The dictionary, as one of the model. Raises RequestError where it is another's."""
    opened = open_dictionary(source) if isinstance(source, str | Path) else source
    if isinstance(opened, LoadedDictionary):
        opened = replace(opened, about=placed(opened.about, reader.shape.layers))
    check_fits(reader, opened.about)
    return opened
