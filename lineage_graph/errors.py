"""Every error that lgraph raises on purpose.

::

    LineageGraphError
    ├── ManifestError              the manifest is wrong: exit code 2, nothing written
    ├── TruthError                 a truth file is wrong, or does not fit the graph
    ├── OutputError                a result cannot be written (full disk, no permission)
    ├── IndexFileError             a built zoo's index is absent, damaged or of another version: build again
    ├── StrictError                ``--strict`` met a model that failed
    └── ModelError                 one model cannot be used; the rest of the zoo goes on
        ├── MissingExtraError          an optional dependency is absent; says the line that installs it
        ├── WorkerDiedError            the process that worked on it was killed or crashed
        ├── FeaturesUnavailableError   no network can be built from the weights, or it gives no features
        ├── SourceError            the entry cannot be turned into files
        │   ├── UnreadableFileError    no permission, an I/O error, vanished meanwhile
        │   └── DirectoryLoopError     symbolic links run in a circle
        └── CheckpointError        the files are there but are no usable checkpoint
            ├── EmptyFileError         zero bytes
            ├── UnsupportedFormatError no reader knows these bytes
            ├── TruncatedFileError     the file ends before its own index says
            ├── CorruptFileError       the format's own rules are broken
            ├── UnsafePickleError      a pickle needs more than tensors and plain data
            ├── LimitExceededError     a header, count, ratio or size is beyond a stated limit
            ├── NoWeightsError         readable, but without a floating-point tensor
            └── NonFiniteWeightsError  NaN or infinite weights

A ``ModelError`` never stops a build (unless ``--strict``): it becomes a
:class:`lineage_graph.types.Failure` that carries the class name as ``error``.
Messages name the culprit (file, tensor, key) and fit one line.
"""

from __future__ import annotations

import errno

from lineage_graph.visible import visible


class LineageGraphError(Exception):
    """Base of every error that lgraph raises on purpose.

    Its text is one line in which nothing hides, moves the cursor or reorders what stands beside it: names in it come
    from strangers.
    """

    def __str__(self) -> str:
        return visible(super().__str__())


class ManifestError(LineageGraphError):
    """The manifest is wrong; the message names file, entry and key."""


class TruthError(LineageGraphError):
    """A truth file is wrong, or names models that the graph does not have."""


class OutputError(LineageGraphError):
    """A result cannot be written."""


class IndexFileError(LineageGraphError):
    """The index of a built zoo is absent, damaged or of another version; the message says to build again."""


class StrictError(LineageGraphError):
    """``--strict`` met a model that failed; the message names each."""


class ModelError(LineageGraphError):
    """One model cannot be used; the rest of the zoo goes on."""


class MissingExtraError(ModelError):
    """An optional dependency is absent; the message holds the line that installs it."""


class WorkerDiedError(ModelError):
    """The worker process that handled the model was killed or crashed."""


class FeaturesUnavailableError(ModelError):
    """No network can be built from the weights, or it gives no features; the evidence from weights stands."""


class SourceError(ModelError):
    """A manifest entry cannot be turned into files."""


class UnreadableFileError(SourceError):
    """No permission, an I/O error, or the file vanished meanwhile."""


class DirectoryLoopError(SourceError):
    """Symbolic links run in a circle."""


def of_os_error(path: object, error: OSError) -> SourceError:
    """The error that says what the system said of ``path``."""
    kind = DirectoryLoopError if error.errno == errno.ELOOP else UnreadableFileError
    return kind(f"{path}: cannot be read ({error.strerror or error})")


class CheckpointError(ModelError):
    """The files are there but are no usable checkpoint."""


class EmptyFileError(CheckpointError):
    """The file has zero bytes."""


class UnsupportedFormatError(CheckpointError):
    """No reader knows these bytes."""


class TruncatedFileError(CheckpointError):
    """The file ends before its own index says it should."""


class CorruptFileError(CheckpointError):
    """The format's own rules are broken."""


class UnsafePickleError(CheckpointError):
    """A pickle needs more than tensors and plain data; the message names what was met."""


class LimitExceededError(CheckpointError):
    """A header, a count, a ratio or a size is beyond a stated limit."""


class NoWeightsError(CheckpointError):
    """The checkpoint is readable but holds no floating-point tensor."""


class NonFiniteWeightsError(CheckpointError):
    """A weight tensor holds NaN or infinite values."""
