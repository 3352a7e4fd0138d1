"""What can be asked of a model that reads both ways, and how much memory an answer takes."""

from __future__ import annotations

from flowviz.attention.decay_request import DecayRequest
from flowviz.attention.neuron_types import Decay, NeuronView
from flowviz.attention.patterns import maps_bytes
from flowviz.attention.request import AttentionRequest, HeadsRequest
from flowviz.attention.types import AttentionMaps, HeadsFound
from flowviz.attention.why_request import NeuronRequest, WhyRequest
from flowviz.attention.why_types import WhyThere
from flowviz.encoders.heads import average_over_encoder, find_over_encoder
from flowviz.encoders.loaded import LoadedEncoder
from flowviz.encoders.maps import check_part, encoder_maps
from flowviz.encoders.neurons import decay_over_encoder, encoder_neurons
from flowviz.encoders.read import read_text
from flowviz.encoders.why import encoder_why
from flowviz.encoders.write import MOST_WRITTEN
from flowviz.errors import RequestError
from flowviz.jobs import Progress
from flowviz.models.kind import ModelKind

Attended = AttentionRequest | NeuronRequest | WhyRequest | HeadsRequest
GIGABYTE = 2**30
LONGEST = 2**20  # tokens, for a model that says no length of its own


def attention_alone(name: str, kind: ModelKind) -> RequestError:
    """What to say where something else than attention is asked of such a model."""
    return RequestError(
        f"{name} is an {kind}, of which attention alone can be asked: the flow and what rests on "
        "it are defined for GPTs. Choose a GPT, or open this model on the page Attention."
    )


def ask(
    model: LoadedEncoder, question: object, most_bytes: int, progress: Progress
) -> AttentionMaps | HeadsFound | Decay | NeuronView | WhyThere:
    """The answer to a question about attention.

    Args:
        most_bytes: what an answer may take.

    Raises:
        RequestError: it is about something else, or cannot be answered as it was asked.
    """
    if not isinstance(question, Attended):
        raise attention_alone(model.shape.name, model.kind)
    _check(model, question, most_bytes)
    if isinstance(question, DecayRequest):
        place = question.layer, question.head
        return decay_over_encoder(model, question.prompts(), *place, progress, question.part)
    if isinstance(question, HeadsRequest):
        return find_over_encoder(model, question.prompts(), progress, question.part)
    if isinstance(question, AttentionRequest) and question.average:
        asked = question.prompts(), question.weighting
        return average_over_encoder(model, *asked, progress, question.part)
    progress(f"Running {model.shape.name}", 0.0)
    if isinstance(question, NeuronRequest):
        return encoder_neurons(model, question)
    if isinstance(question, WhyRequest):
        return encoder_why(model, question)
    return encoder_maps(model, question)


def _check(model: LoadedEncoder, question: Attended, most: int) -> None:
    """Refuses what would take too much memory, before any pass."""
    check_part(model, question.part)
    if isinstance(question, HeadsRequest) or (
        isinstance(question, AttentionRequest) and question.average
    ):
        for number, prompt in enumerate(question.prompts(), 1):
            try:
                check_bytes(model, AttentionRequest(prompt.text, part=question.part), most)
            except RequestError as error:
                raise RequestError(f"Prompt {number}: {error}") from None
        return
    second, mask, part = question.second, question.mask, question.part
    check_bytes(model, AttentionRequest(question.prompt, second=second, mask=mask, part=part), most)


def needed_bytes(model: LoadedEncoder, request: AttentionRequest) -> int:
    """What the maps of a request take, and what making them takes on top.

    Raises:
        RequestError: the texts cannot be read.
    """
    part = check_part(model, request.part)
    text = read_text(model, request.prompt, request.second, request.mask)
    written = len(text.written or ()) or MOST_WRITTEN + 2
    longest = max(len(text.ids), written if model.kind is ModelKind.BOTH else 0)
    return maps_bytes(model.shape_of(part), longest)


def most_read(model: LoadedEncoder, most_bytes: int) -> int:
    """The longest text that the model takes and whose maps stay within so many bytes."""
    low, high = 0, model.context or LONGEST
    while low < high:
        middle = (low + high + 1) // 2
        fits = maps_bytes(model.shape, middle) <= most_bytes
        low, high = (middle, high) if fits else (low, middle - 1)
    return low


def check_bytes(model: LoadedEncoder, request: AttentionRequest, most: int) -> None:
    """Raises RequestError where the maps would take more than that."""
    needed = needed_bytes(model, request)
    if needed > most:
        shape = model.shape_of(check_part(model, request.part))
        raise RequestError(
            f"The attention of this text in {shape.layers} x {shape.heads} heads would take "
            f"{needed / GIGABYTE:.2f} GB here; {most / GIGABYTE:.2f} GB are set aside for it. "
            "Shorten the prompt."
        )
