"""All heads over a set of prompts, one pass each, of a model that reads both ways."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from flowviz.analyses.types import Prompt
from flowviz.attention.average import mean_maps
from flowviz.attention.kinds import Part, Weighting
from flowviz.attention.request import AttentionRequest
from flowviz.attention.types import AttentionMaps, HeadsFound
from flowviz.encoders.loaded import LoadedEncoder
from flowviz.encoders.maps import check_part, encoder_maps
from flowviz.errors import RequestError

Progress = Callable[[str, float], None]


def silent(_stage: str, _fraction: float) -> None:
    """Progress that nobody watches."""


def find_over_encoder(
    model: LoadedEncoder,
    prompts: Iterable[Prompt | str],
    progress: Progress = silent,
    part: Part | None = None,
) -> HeadsFound:
    """What the finder says of the heads of one part over a set of prompts.

    Args:
        progress: told before each prompt; what it raises ends the work.

    Raises:
        RequestError: there are no prompts, or this model cannot read one (named by its number).
    """
    part = check_part(model, part)
    found = [maps.kinds for maps in _each(model, prompts, Weighting.PATTERN, progress, part)]
    return HeadsFound(model.shape_of(part), len(found), sum(found[1:], found[0]))


def average_over_encoder(
    model: LoadedEncoder,
    prompts: Iterable[Prompt | str],
    weighting: Weighting = Weighting.PATTERN,
    progress: Progress = silent,
    part: Part | None = None,
) -> AttentionMaps:
    """The mean attention of one part over a set of prompts; see `attention/average.py`.

    Raises:
        RequestError: as `find_over_encoder`, or for a weighting that the model cannot have.
    """
    return mean_maps(_each(model, prompts, weighting, progress, check_part(model, part)))


def _each(
    model: LoadedEncoder,
    prompts: Iterable[Prompt | str],
    weighting: Weighting,
    progress: Progress,
    part: Part,
) -> Iterator[AttentionMaps]:
    texts = [one if isinstance(one, str) else one.text for one in prompts]
    if not texts:
        raise RequestError("There are no prompts. Give one a line.")
    for number, text in enumerate(texts, 1):
        progress(f"Prompt {number} of {len(texts)}", (number - 1) / len(texts))
        asked = AttentionRequest(text, model.shape.name, weighting=weighting, part=part)
        try:
            maps = encoder_maps(model, asked)
        except RequestError as error:
            raise RequestError(f"Prompt {number}: {error}") from None
        yield maps
