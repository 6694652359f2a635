"""What the signals of an edge say, in words; every output says it in the same ones."""

from __future__ import annotations

from collections.abc import Mapping

MEANINGS: Mapping[str, str] = {
    "coverage": "share of the smaller backbone that could be compared",
    "distance": "relative weight distance; strangers of equal norm have 1.41",
    "scale": "ln of the child's norm over the parent's",
    "sketched": "1: from stored fingerprints alone; no weights were compared",
    "cosine": "mean cosine of the weight matrices; strangers have 0",
    "cosine_z": "agreement unit by unit, in standard deviations of permuted units",
    "identical": "share of weights that are equal to the bit",
    "inherited": "share of the backbone in matrices that agree beyond chance",
    "inherited_cosine": "mean cosine of these matrices",
    "laid_out": "share of the weights that were compared in another layout",
    "units": "share of the weight matrices whose hidden units were matched first",
    "units_z": "their agreement beyond chance, in standard deviations",
    "spread_gain": "by how much more the norms of the child's units vary, where units were scaled back",
    "norm_growth": "growth of ‖w‖² over the squared distance; 1 for an update orthogonal to the parent",
    "init_drift": "drift of biases and scales away from their start, over their squared distance",
    "kurtosis_growth": "relative growth of the matrices' kurtosis",
    "rank_loss": "ln of the parent's effective rank over the child's, over the squared relative distance",
    "precision_loss": "log2 of the child's stored bits over the parent's, where both hold the same values",
    "rounding": "share of the changed weights that are rounded on one side",
    "lattice_loss": "binary digits lost by rounding",
    "sparsity_gain": "share of exact zeros gained",
    "masked": "1 where the child is the parent with weights taken out, and no more",
    "units_lost": "share of the weights that went with units taken out",
    "low_rank": "share of the change that is of low rank, as a merged adapter leaves it",
    "kept_vectors": "share of biases and scales that are equal to the bit",
    "shapes_fit": "share of the adapter's layers that the declared base has in a fitting shape",
    "adapter_gain": "share of the child's weights in factors of adapters, less the parent's",
    "rows_added": "ln of the child's rows over the parent's, of words, positions or classes that go on",
    "parts_added": "share of the child's weights that were set beside all of the parent's",
    "same_profile": "share of the matrices that are equal up to the order and scale of their units",
    "head_cosine": "cosine of the heads; a new head has 0",
    "head_identical": "share of the heads' weights that are equal",
    "counters_equal": "1 where all training counters of both are equal",
    "score": "that the two are related, before calibration",
    "margin": "ln of the next best edge's squared distance over this one's; 0: either could be right",
    "apart": "probability that both rather descend from something unseen",
    "unseen": "probability that there is such an unseen ancestor",
    "merge.coefficient": "this parent's coefficient in the sum that makes the child",
    "merge.uncertainty": "its spread over the layers",
    "merge.residual": "what the sum leaves, over what the nearest parent alone leaves",
    "splice.blocks": "number of the child's blocks that come from this parent",
    "order_lost": "share of the weights that lie unlike those of common relatives in the child and not in the parent",
    "merge_base": "confidence of a merge that starts from the parent and adds the child",
    "format_lost": "share of common relatives stored in the parent's format, less that in the child's",
    "created": "days from the parent's date to the child's",
    "declared": "1 where the child declares the parent",
    "features.l1": "distance of features, in units of their spread",
    "features.cka": "CKA of features",
    "linearized.l1": "the same distance after linearized fine-tuning",
    "linearized.cka": "CKA after linearized fine-tuning",
    "linearized.taylor": "1 where the linearization is of first order: distances are lower bounds",
    "detector.parent": "probability that one is the nearest ancestor of the other, from the likelier side",
    "detector.direction": "ln of the probability of this direction over that of the other",
    "linearized.asymmetry": "ln of the linearization's residual from the parent over that from the child",
}
"""What each signal's value says, for people; see :func:`meaning`."""


def meaning(name: str) -> str:
    """What the value of the signal ``name`` says; empty where nobody wrote it down."""
    counter = "ln of this training counter of the child over the parent's"
    return counter if name.startswith("counter.") else MEANINGS.get(name, "")
