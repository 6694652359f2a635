"""What the test hub serves: repositories with commits, refs and files, and what the Hub's API says of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

LFS_SUFFIXES = (".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".h5", ".onnx", ".gguf", ".npz", ".msgpack", ".zip")


@dataclass(frozen=True)
class HubFile:
    """One file of a commit: bytes, or a path that is read when it is asked for. ``lfs``: a large one, named by its
    SHA-256; others are named by their git blob id.
    """

    content: bytes | Path
    lfs: bool

    @property
    def data(self) -> bytes:
        return self.content if isinstance(self.content, bytes) else self.content.read_bytes()

    @cached_property
    def size(self) -> int:
        return len(self.content) if isinstance(self.content, bytes) else self.content.stat().st_size

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    @cached_property
    def blob_id(self) -> str:
        data = self.data if not self.lfs else self.sha256.encode()
        return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()

    @property
    def etag(self) -> str:
        return self.sha256 if self.lfs else self.blob_id


def card_text(card: Mapping[str, Any], body: str = "") -> str:
    """A README.md whose metadata are ``card``."""
    lines = [f"{key}: {json.dumps(value)}" for key, value in card.items()]
    return "\n".join(["---", *lines, "---", body, ""])


@dataclass
class Repository:
    """A repository ``org/name``. ``files``: of the branch ``main``, by path; a folder stands for all files in it.

    ``card``: its metadata, also written into README.md unless ``files`` has one. ``gated``: False, "auto" or
    "manual". ``renamed_to``: requests are sent there.
    """

    id: str
    files: Mapping[str, bytes | Path] | Path = field(default_factory=dict)
    card: Mapping[str, Any] = field(default_factory=dict)
    gated: str | bool = False
    private: bool = False
    disabled: bool = False
    renamed_to: str = ""
    created: str = "2024-05-01T10:00:00.000Z"
    modified: str = "2024-06-01T10:00:00.000Z"
    commits: dict[str, dict[str, HubFile]] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.commit(self.files)

    def commit(self, files: Mapping[str, bytes | Path] | Path, ref: str = "main") -> str:
        """Let ``ref`` point to a new commit of just these files; its id follows from the content."""
        if isinstance(files, Path):
            files = {p.relative_to(files).as_posix(): p for p in sorted(files.rglob("*")) if p.is_file()}
        if self.card and "README.md" not in files:
            files = {**files, "README.md": card_text(self.card).encode()}
        made = {path: HubFile(data, path.endswith(LFS_SUFFIXES)) for path, data in sorted(files.items())}
        listing = [self.id, len(self.commits), *((path, file.etag) for path, file in made.items())]
        sha = hashlib.sha1(json.dumps(listing).encode(), usedforsecurity=False).hexdigest()
        self.commits[sha] = made
        self.refs[ref] = sha
        return sha

    @property
    def head(self) -> str:
        return self.refs["main"]

    def resolve(self, revision: str) -> str | None:
        """The commit that a branch, a tag, or (the beginning of) a commit's id means."""
        if revision in self.refs:
            return self.refs[revision]
        found = [sha for sha in self.commits if len(revision) >= 5 and sha.startswith(revision)]
        return found[0] if len(found) == 1 else None

    @property
    def tags(self) -> list[str]:
        bases = self.card.get("base_model", [])
        base_tags = [f"base_model:{base}" for base in ([bases] if isinstance(bases, str) else bases)]
        library = [self.card["library_name"]] if "library_name" in self.card else []
        return [*library, *self.card.get("tags", []), *base_tags]

    def info(self, sha: str, blobs: bool) -> dict[str, Any]:
        """What ``/api/models/<id>`` answers."""
        said = {
            "_id": hashlib.sha256(self.id.encode()).hexdigest()[:24],
            "id": self.id,
            "modelId": self.id,
            "author": self.id.split("/")[0],
            "sha": sha,
            "createdAt": self.created,
            "lastModified": self.modified,
            "private": self.private,
            "gated": self.gated,
            "disabled": self.disabled,
            "downloads": 1,
            "likes": 0,
            "tags": self.tags,
            "library_name": self.card.get("library_name"),
            "cardData": dict(self.card),
            "siblings": [self._sibling(path, file, blobs) for path, file in self.commits[sha].items()],
            "usedStorage": sum(file.size for file in self.commits[sha].values()),
        }
        return {key: value for key, value in said.items() if value is not None}

    def _sibling(self, path: str, file: HubFile, blobs: bool) -> dict[str, Any]:
        said: dict[str, Any] = {"rfilename": path}
        if blobs:
            said |= {"size": file.size, "blobId": file.blob_id}
            if file.lfs:
                said["lfs"] = {"sha256": file.sha256, "size": file.size, "pointerSize": 134}
        return said

    def tree(self, sha: str, under: str, recursive: bool) -> list[dict[str, Any]]:
        """What ``/tree`` answers: files, and folders with the ids of what lies below them."""
        prefix = f"{under}/" if under else ""
        inside = {path: file for path, file in self.commits[sha].items() if path.startswith(prefix)}
        folders: dict[str, str] = {}
        for path in inside:
            parts = path.removeprefix(prefix).split("/")[:-1]
            for depth in range(1, (len(parts) if recursive else min(len(parts), 1)) + 1):
                folder = prefix + "/".join(parts[:depth])
                folders[folder] = hashlib.sha1(folder.encode(), usedforsecurity=False).hexdigest()
        listed = [{"type": "directory", "oid": oid, "size": 0, "path": folder} for folder, oid in folders.items()]
        return listed + [
            self.path_info(sha, path) for path in inside if recursive or "/" not in path.removeprefix(prefix)
        ]

    def path_info(self, sha: str, path: str) -> dict[str, Any]:
        """One entry of ``/tree`` and ``/paths-info``."""
        file = self.commits[sha][path]
        said: dict[str, Any] = {"type": "file", "oid": file.blob_id, "size": file.size, "path": path}
        if file.lfs:
            said["lfs"] = {"oid": file.sha256, "size": file.size, "pointerSize": 134}
        return said
