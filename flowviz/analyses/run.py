"""A request becomes a result: the one way in for pages and commands."""

from __future__ import annotations

from flowviz.analyses.neurons import active_neurons
from flowviz.analyses.norms import norm_filters
from flowviz.analyses.overlaps import overlap
from flowviz.analyses.passes import silent
from flowviz.analyses.request import Analysis, AnalysisRequest
from flowviz.analyses.search import search_token
from flowviz.analyses.target import target_course
from flowviz.analyses.types import Result
from flowviz.jobs import Progress
from flowviz.models.loaded import LoadedModel


def analyse(model: LoadedModel, request: AnalysisRequest, progress: Progress = silent) -> Result:
    """Runs the analysis that is asked for.

    Args:
        progress: told a stage in words and the fraction done, at least once a prompt or a batch;
            what it raises ends the work.

    Raises:
        RequestError: a prompt or an answer cannot be read by this model (named by its number), or
            the token is none of its tokens.

    Example:
        >>> request = AnalysisRequest(Analysis.TARGET, set="phenomena", group="capitals")
        >>> analyse(flowviz.load_model("demo"), request).groups
    """
    match request.analysis:
        case Analysis.OVERLAP:
            return overlap(model, request.prompts(), request.k, progress=progress)
        case Analysis.TARGET:
            return target_course(model, request.prompts(), progress)
        case Analysis.NORMS:
            return norm_filters(model, request.prompts(), request.k, progress)
        case Analysis.NEURONS:
            return active_neurons(model, request.prompts(), request.n, request.threshold, progress)
        case Analysis.SEARCH:
            return search_token(model, request.token or "", progress=progress)
