"""Every error that lgraph raises on purpose.

::

    LineageGraphError
    ├── ManifestError              the manifest is wrong: exit code 2, nothing written
    ├── TruthError                 a truth file is wrong, or does not fit the graph
    ├── OutputError                a result cannot be written (full disk, no permission)
    ├── IndexFileError             a built zoo's index is absent, damaged or of another version: build again
    ├── ClusterError               no Ray cluster answers, or none can be started
    ├── DeviceError                a GPU was asked for where there is none
    ├── StrictError                ``--strict`` met a model that failed
    └── ModelError                 one model cannot be used; the rest of the zoo goes on
        ├── MissingExtraError          an optional dependency is absent; says the line that installs it
        ├── WorkerDiedError            the process that worked on it was killed or crashed
        ├── FeaturesUnavailableError   no network can be built from the weights, or it gives no features
        ├── SourceError            the entry cannot be turned into files
        │   ├── UnreadableFileError    no permission, an I/O error, vanished meanwhile
        │   ├── ChangedFileError       written anew after its digest was taken
        │   ├── DirectoryLoopError     symbolic links run in a circle
        │   └── HubError               the model hub says no, or something else than it promised
        │       ├── GatedRepositoryError     its owner wants to be asked first
        │       ├── MissingRepositoryError   private or not there: the hub does not tell which
        │       ├── DisabledRepositoryError  the hub has closed it
        │       ├── MissingRevisionError     no such branch, tag or commit
        │       ├── MissingFileError         no such file in the repository
        │       ├── NoWeightsFileError       empty, without a weights file, or with several and none that must be meant
        │       ├── NoDownloadError          the hub does not have the weights, only another address has
        │       ├── RateLimitedError         too many requests, and the wait that is asked for is too long
        │       ├── HashMismatchError        the bytes that came are not those that the hub lists
        │       ├── OfflineError             offline, and not in the cache
        │       └── NetworkError             no connection, or an answer that makes no sense, time after time
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


class ClusterError(LineageGraphError):
    """No Ray cluster answers at the address, or none can be started here."""


class DeviceError(LineageGraphError):
    """A GPU was asked for where there is none."""


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


class ChangedFileError(SourceError):
    """A weight file was written anew after its digest was taken."""


class DirectoryLoopError(SourceError):
    """Symbolic links run in a circle."""


class HubError(SourceError):
    """The model hub says no, or something else than it promised; the message names the repository."""


class GatedRepositoryError(HubError):
    """Whoever wants the files has to ask the owner first, and show a token."""


class MissingRepositoryError(HubError):
    """The repository is private or not there; the hub does not tell which."""


class DisabledRepositoryError(HubError):
    """The hub has closed the repository."""


class MissingRevisionError(HubError):
    """The repository has no such branch, tag or commit."""


class MissingFileError(HubError):
    """The repository has no such file."""


class NoWeightsFileError(HubError):
    """The repository is empty or holds no weights file, or several and nothing says which is meant."""


class NoDownloadError(HubError):
    """The weights are not on the hub, only at another address, from which nothing is taken."""


class RateLimitedError(HubError):
    """Too many requests: the hub asks for a longer wait than is allowed, or again and again. ``wait``: the seconds that
    it asks for, if it does.
    """

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class HashMismatchError(HubError):
    """The bytes that came, more than once, are not those that the hub lists."""


class OfflineError(HubError):
    """Offline mode is on, and the cache does not have what is needed."""


class NetworkError(HubError):
    """No connection, or broken answers and server errors, after several attempts."""


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
