"""One connection to the test hub: which call it is, who may make it, and the answer, faulty where a fault is due."""

from __future__ import annotations

import json
import re
import time
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from hub.faults import Fault, Kind
from hub.record import Request
from hub.repositories import HubFile, Repository

if TYPE_CHECKING:
    from hub.server import Hub

_RESOLVE = re.compile(r"/(?P<repo>[^/]+/[^/]+|[^/]+)/resolve/(?P<revision>[^/]+)/(?P<file>.+)")
_REPO = r"/api/models/(?P<repo>[^/]+/[^/]+?|[^/]+?)"
_INFO = re.compile(_REPO + r"(?:/revision/(?P<revision>[^/]+))?")
_TREE = re.compile(_REPO + r"/tree/(?P<revision>[^/]+)(?:/(?P<under>.+))?")
_PATHS = re.compile(_REPO + r"/paths-info/(?P<revision>[^/]+)")
_REFS = re.compile(_REPO + r"/refs")

_DROP_BYTES = 16
"""Bytes that a slow body sends at a time, at least."""


class Handler(BaseHTTPRequestHandler):
    """See :class:`hub.server.Hub`."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    @property
    def hub(self) -> Hub:
        return self.server.hub  # type: ignore[attr-defined, no-any-return]

    def do_HEAD(self) -> None:
        with self.hub.answering():
            self._answer()

    do_GET = do_POST = do_HEAD  # noqa: N815

    def log_message(self, *args: object) -> None:
        """The hub keeps its own record."""

    def _answer(self) -> None:
        self.form = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        split = urlsplit(self.path)
        self.query = parse_qs(split.query)
        # Of a large file, faults and the record go by the path that it was asked for under.
        self.asked = self.query["for"][0] if "for" in self.query else split.path
        self.repo, self.file = "", ""
        if match := _RESOLVE.fullmatch(self.asked):
            self.repo, self.file = match["repo"], unquote(match["file"])
        resolving = split.path.startswith("/") and _RESOLVE.fullmatch(split.path)
        fault = None if self._goes_on_elsewhere() else self.hub.faults.pick(self.command, self.asked, self._has_body())
        if fault is not None and self._failed(fault):
            return
        if self.server.stores:  # type: ignore[attr-defined]
            self._send_stored(split.path, fault)
        elif resolving:
            self._resolve(resolving["repo"], unquote(resolving["revision"]), unquote(resolving["file"]), fault)
        else:
            self._api(split.path)

    def _has_body(self) -> bool:
        return bool(self.file) and self.command == "GET"

    def _goes_on_elsewhere(self) -> bool:
        """A GET that is about to be redirected to the storage meets its fault there."""
        if self.server.stores or self.command != "GET" or not self.file:  # type: ignore[attr-defined]
            return False
        match = _RESOLVE.fullmatch(self.asked)
        repo = self.hub.repositories.get(match["repo"]) if match else None
        sha = repo.resolve(unquote(match["revision"])) if repo and match else None
        return bool(repo and sha and (file := repo.commits[sha].get(self.file)) and file.lfs)

    def _failed(self, fault: Fault) -> bool:
        """Commit a fault that leaves nothing of the answer."""
        if fault.kind is Kind.RATE:
            self._say(
                429, {"error": "slow down"}, {"Retry-After": str(fault.retry_after)} if fault.retry_after >= 0 else {}
            )
        elif fault.kind is Kind.ERROR:
            self._say(fault.status, {"error": "internal error"})
        elif fault.kind is Kind.LOOP:
            self._say(302, None, {"Location": self.path})
        elif fault.kind is Kind.DROP and not self._has_body():
            self._record(0, 0)
            self._cut()
        else:
            return False
        return True

    def _cut(self) -> None:
        self.wfile.flush()
        self.close_connection = True
        self.connection.close()

    def _send_stored(self, path: str, fault: Fault | None) -> None:
        file = self.hub.stored(path.removeprefix("/"))
        if file is None:
            self._say(404, {"error": "no such object"})
        else:
            self._send(file, {"ETag": f'"{file.sha256}"'}, fault)

    def _resolve(self, name: str, revision: str, path: str, fault: Fault | None) -> None:
        repo = self._repository(name, gate=True)
        if repo is None:
            return
        sha = repo.resolve(revision)
        if sha is None:
            self._say(404, {"error": "Revision not found"}, {"X-Error-Code": "RevisionNotFound"})
            return
        headers = {"X-Repo-Commit": sha}
        file = repo.commits[sha].get(path)
        if file is None:
            self._say(404, {"error": "Entry not found"}, {**headers, "X-Error-Code": "EntryNotFound"})
        elif file.lfs:
            to = f"{self.hub.storage}/{file.sha256}?{urlencode({'for': self.asked})}"
            linked = {"X-Linked-Etag": f'"{file.sha256}"', "X-Linked-Size": str(file.size), "Location": to}
            self._say(302, None, {**headers, **linked})
        else:
            self._send(file, {**headers, "ETag": f'"{file.blob_id}"'}, fault)

    def _repository(self, name: str, gate: bool = False) -> Repository | None:
        """The repository, if whoever asks may see it; ``gate``: also its files. Otherwise the answer has been sent."""
        repo = self.hub.repositories.get(name)
        known = self.headers.get("Authorization") == f"Bearer {self.hub.token}"
        if repo is not None and repo.renamed_to:
            self._say(307, None, {"Location": self.path.replace(name, repo.renamed_to, 1)})
        elif repo is None or (repo.private and not known):
            self._say(404 if known else 401, {"error": "Repository not found"}, {"X-Error-Code": "RepoNotFound"})
        elif repo.disabled and gate:
            self._say(403, {"error": "disabled"}, {"X-Error-Message": "Access to this resource is disabled."})
        elif repo.gated and gate and not known:
            self._say(
                401, {"error": "gated"}, {"X-Error-Code": "GatedRepo", "X-Error-Message": f"{name} is restricted."}
            )
        else:
            return repo
        return None

    def _api(self, path: str) -> None:
        if path == "/api/models":
            self._list()
            return
        for pattern, answer in ((_TREE, self._tree), (_PATHS, self._paths), (_REFS, self._refs), (_INFO, self._info)):
            if match := pattern.fullmatch(path):
                self.repo = match["repo"]
                repo = self._repository(match["repo"])
                if repo is not None:
                    sha = repo.resolve(unquote(match.groupdict().get("revision") or "main"))
                    if sha is None:
                        self._say(404, {"error": "Revision not found"}, {"X-Error-Code": "RevisionNotFound"})
                    else:
                        answer(repo, sha, unquote(match.groupdict().get("under") or ""))
                return
        self._say(404, {"error": "no such page"})

    def _info(self, repo: Repository, sha: str, _: str) -> None:
        said = repo.info(sha, "blobs" in self.query)
        wanted = self.query.get("expand")
        self._say(200, {key: said[key] for key in said if wanted is None or key in (*wanted, "_id", "id", "modelId")})

    def _tree(self, repo: Repository, sha: str, under: str) -> None:
        self._say(200, repo.tree(sha, under, self.query.get("recursive", ["false"])[0].lower() == "true"))

    def _paths(self, repo: Repository, sha: str, _: str) -> None:
        body = json.loads(self.form) if self.form.startswith("{") else parse_qs(self.form)
        self._say(200, [repo.path_info(sha, path) for path in body["paths"] if path in repo.commits[sha]])

    def _refs(self, repo: Repository, *_: str) -> None:
        branches = [{"name": r, "ref": f"refs/heads/{r}", "targetCommit": sha} for r, sha in repo.refs.items()]
        self._say(200, {"branches": branches, "converts": [], "tags": []})

    def _list(self) -> None:
        def first(key: str, default: str) -> str:
            return self.query.get(key, [default])[0]

        known = self.headers.get("Authorization") == f"Bearer {self.hub.token}"
        found = [
            repo
            for repo in self.hub.repositories.values()
            if not repo.renamed_to
            and (known or not repo.private)
            and first("author", repo.id.split("/")[0]) == repo.id.split("/")[0]
            and first("search", "").lower() in repo.id.lower()
            and all(tag in repo.tags for tag in self.query.get("filter", []))
        ]
        start, size = int(first("cursor", "0")), min(self.hub.page_size, int(first("limit", "1000")))
        page = found[start : start + size]
        headers = {}
        if start + size < len(found):
            query = urlencode({**{k: v for k, v in self.query.items() if k != "cursor"}, "cursor": start + size}, True)
            headers["Link"] = f'<{self.hub.endpoint}/api/models?{query}>; rel="next"'
        wanted = self.query.get("expand", ["tags", "private", "downloads", "likes", "createdAt", "library_name"])
        keys = {*wanted, "_id", "id", "modelId"}
        said = [repo.info(repo.head, False) for repo in page]
        self._say(200, [{key: one[key] for key in one if key in keys} for one in said], headers)

    def _say(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        data = b"" if body is None else json.dumps(body).encode()
        self._record(status, 0)
        self.send_response(status)
        for key, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _send(self, file: HubFile, headers: dict[str, str], fault: Fault | None) -> None:
        """The bytes of a file, or the range of them that was asked for."""
        start, stop, status = 0, file.size, 200
        if wanted := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            start, status = int(wanted[1]), 206
            stop = min(int(wanted[2]) + 1, file.size) if wanted[2] else file.size
            if start >= file.size:
                self._say(416, None, {"Content-Range": f"bytes */{file.size}"})
                return
            headers = {**headers, "Content-Range": f"bytes {start}-{stop - 1}/{file.size}"}
        data = file.data[start:stop] if self.command == "GET" else b""
        promised = stop - start
        if fault is not None and data:
            if fault.kind is Kind.CORRUPT:
                middle = len(data) // 2
                data = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
            elif fault.kind is Kind.DROP:
                data = data[: len(data) // 2]
            elif fault.kind is Kind.LENGTH:
                data = data[: len(data) // 2]
                promised = len(data)
        self.send_response(status)
        for key, value in {**headers, "Accept-Ranges": "bytes", "Content-Length": str(promised)}.items():
            self.send_header(key, value)
        self.end_headers()
        self._record(status, self._write(data, fault))
        if fault is not None and fault.kind is Kind.DROP:
            self._cut()

    def _write(self, data: bytes, fault: Fault | None) -> int:
        """Send ``data``; how much of it went out."""
        slow = fault is not None and fault.kind is Kind.SLOW
        step = max(len(data) // 64, _DROP_BYTES) if slow else 1 << 16
        sent = 0
        try:
            for start in range(0, len(data), step):
                sent += self.wfile.write(data[start : start + step])
                if slow and fault is not None:
                    time.sleep(fault.seconds)
        except OSError:
            self.close_connection = True
        return sent

    def _record(self, status: int, sent: int) -> None:
        self.hub.record(
            Request(
                self.command,
                self.asked,
                self.file,
                self.repo,
                status,
                sent,
                self.headers.get("Range", ""),
                self.headers.get("Authorization", "").removeprefix("Bearer "),
            )
        )
