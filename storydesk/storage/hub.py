"""Fetching the published GPT-2 models: pinned, resumed, checked; only when asked, with no token and no telemetry."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.style_model import HubModel
from storydesk.services.atomic_file import explain_error, make_folder
from storydesk.services.file_lock import FileLock
from storydesk.services.ports import Progress

if TYPE_CHECKING:
    from requests import PreparedRequest, Response, Session

HUB_MODELS = (
    HubModel(
        "gpt2",
        "openai-community/gpt2",
        "607a30d783dfa663caf39e06633721c8d4cfcd7e",
        548_105_171,
        "248dfc3911869ec493c76e65bf2fcf7f615828b0254c12b473182f0f81d3a707",
        "MIT",
    ),
    HubModel(
        "distilgpt2",
        "distilbert/distilgpt2",
        "2290a62682d06624634c1f46a6ad5be0f47f38aa",
        352_824_413,
        "e1ff18884359fe8beb795a5f414feb85a6ce3d929ad019c0d958c039d2b94a1b",
        "Apache-2.0",
    ),
    HubModel(
        "gpt2-medium",
        "openai-community/gpt2-medium",
        "6dcaa7a952f72f9298047fd5137cd6e4f05f41da",
        1_519_984_962,
        "fc5a354a19255ad494f3d71549390baca1ccf61d1d822b9408971705c687c9cd",
        "MIT",
    ),
    HubModel(
        "gpt2-large",
        "openai-community/gpt2-large",
        "32b71b12589c2f8d625668d2335a01cac3249519",
        3_247_159_078,
        "5f47f3e12f91cd33b662ce7e433b6150ad5512b5884a2cee961b50e9c3bbebce",
        "MIT",
    ),
    HubModel(
        "gpt2-xl",
        "openai-community/gpt2-xl",
        "15ea56dee5df4983c59b2538573817e1667135e2",
        6_430_000_000,  # about; the checksum decides
        "0f8b28eb05a8075f48b61b6f35332978c74fc7763fa9fb4051a1c30511736a6a",
        "MIT (modified)",
    ),
)

WEIGHTS_NAME = "model.safetensors"
_COMPANIONS = (
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.json",
    "merges.txt",
)
_LARGEST_COMPANION = 20_000_000
_BLOCK = 1 << 18
_TIMEOUT = (6.0, 20.0)
_TRIES = 4
_SPACE_FACTOR = 3.5
"""Weights as they come, once more in the bundle, and their graphs in 32 and 8 bits."""


class HubSource:
    """Downloads into a folder of partial files. One thread at a time; a second process waits for the first."""

    def __init__(self, cache: Path, models: Sequence[HubModel] = HUB_MODELS, endpoint: str | None = None) -> None:
        """Keep partial files in ``cache``; ``endpoint`` is the hub's address, by default huggingface_hub's own."""
        self._cache = cache
        self.models = tuple(models)
        self._endpoint = endpoint

    def find(self, hub_id: str) -> HubModel:
        """Return the model of this id; raise StorydeskError(HUB_MODEL_UNKNOWN)."""
        for model in self.models:
            if model.id == hub_id:
                return model
        known = ", ".join(model.id for model in self.models)
        raise StorydeskError(FailureCode.HUB_MODEL_UNKNOWN, name=hub_id, known=known)

    def fetch(self, model: HubModel, progress: Progress | None = None) -> Path:
        """Download what is not there yet and return the folder with the model's files.

        Raises StorydeskError(HUB_NOT_REACHED, HUB_FILE_WRONG, DISK_FULL, NOT_WRITABLE), and whatever ``progress``
        raises to cancel; what has come stays for the next try.
        """
        report = progress or _ignore
        folder = make_folder(self._find_folder(model))
        self._require_space(model, folder)
        lock = FileLock(folder.with_name(folder.name + ".lock"))
        try:
            while not lock.acquire():
                report(0, model.weight_bytes)
                time.sleep(0.2)
            with _explain(model, folder):
                for name in _COMPANIONS:
                    report(0, model.weight_bytes)
                    self._fetch_companion(model, name, folder / name)
                self._fetch_weights(model, folder / WEIGHTS_NAME, report)
        finally:
            lock.release()
        return folder

    def forget(self, model: HubModel) -> None:
        """Delete what was downloaded for a model."""
        shutil.rmtree(self._find_folder(model), ignore_errors=True)

    def _find_folder(self, model: HubModel) -> Path:
        return self._cache / f"{model.id}-{model.revision[:12]}"

    def _require_space(self, model: HubModel, folder: Path) -> None:
        there = sum(path.stat().st_size for path in folder.glob(f"{WEIGHTS_NAME}*"))
        with contextlib.suppress(OSError):
            if shutil.disk_usage(folder).free < model.weight_bytes * _SPACE_FACTOR - there:
                raise StorydeskError(FailureCode.DISK_FULL, path=str(folder))

    def _fetch_companion(self, model: HubModel, name: str, target: Path) -> None:
        if target.is_file():
            return
        with self._request(model, name) as response:
            if response.status_code == 404 and name != "config.json":
                return  # not every model has every file; what is needed is checked before building
            response.raise_for_status()
            raw = b""
            for block in response.iter_content(_BLOCK):
                raw += block
                if len(raw) > _LARGEST_COMPANION:
                    raise StorydeskError(FailureCode.HUB_FILE_WRONG, name=model.id)
        partial = target.with_name(target.name + ".part")
        partial.write_bytes(raw)
        partial.replace(target)

    def _fetch_weights(self, model: HubModel, target: Path, report: Progress) -> None:
        """Download in as many pieces as the connection makes of it, check the whole and give it its name."""
        if target.is_file():
            report(target.stat().st_size, target.stat().st_size)
            return
        from requests import exceptions

        partial = target.with_name(target.name + ".part")
        failures = 0
        while True:
            before = _measure(partial)
            try:
                self._fetch_rest(model, partial, report)
                break
            except (exceptions.ChunkedEncodingError, exceptions.ConnectionError, exceptions.Timeout):
                # A connection that brings something may break as often as it likes.
                failures = 0 if _measure(partial) > before else failures + 1
                if failures >= _TRIES or _measure(partial) == 0:
                    raise
                report(_measure(partial), model.weight_bytes)
                time.sleep(0.5 * failures)
        if _hash(partial, report) != model.weight_sha256:
            partial.unlink()
            raise StorydeskError(FailureCode.HUB_FILE_WRONG, name=model.id)
        partial.replace(target)

    def _fetch_rest(self, model: HubModel, partial: Path, report: Progress) -> None:
        start = _measure(partial)
        headers = {"Range": f"bytes={start}-"} if start else {}
        with self._request(model, WEIGHTS_NAME, headers) as response:
            if response.status_code == 416:  # nothing is left to send
                return
            response.raise_for_status()
            if start and not response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
                start = 0  # the whole again, from a server that knows no ranges
            total = start + int(response.headers.get("Content-Length") or model.weight_bytes - start)
            if total > model.weight_bytes * 1.1 + _BLOCK:
                raise StorydeskError(FailureCode.HUB_FILE_WRONG, name=model.id)
            done = start
            with partial.open("ab" if start else "wb") as stream:
                report(done, total)
                for block in response.iter_content(_BLOCK):
                    done += len(block)
                    if done > total:
                        raise StorydeskError(FailureCode.HUB_FILE_WRONG, name=model.id)
                    stream.write(block)
                    report(done, total)
            if done < total:
                from requests.exceptions import ChunkedEncodingError

                raise ChunkedEncodingError("the connection ended early")

    def _request(self, model: HubModel, name: str, headers: dict[str, str] | None = None) -> Response:
        # Imported here: the library takes longer to load than the window has to open.
        from huggingface_hub import hf_hub_url

        endpoint = self._endpoint or os.environ.get("HF_ENDPOINT") or None
        url = hf_hub_url(model.repository, name, revision=model.revision, endpoint=endpoint)
        # Uncompressed, so that a byte's place in the answer is its place in the file.
        sent = {"User-Agent": "storydesk", "Accept-Encoding": "identity", **(headers or {})}
        return _open_session().get(url, headers=sent, stream=True, timeout=_TIMEOUT, auth=_send_no_token)


def _open_session() -> Session:
    from huggingface_hub import get_session

    return get_session()


def _send_no_token(request: PreparedRequest) -> PreparedRequest:
    """Leave a request as it is; standing in for an account keeps requests from looking for one in ``.netrc``."""
    return request


@contextlib.contextmanager
def _explain(model: HubModel, folder: Path) -> Iterator[None]:
    from requests import RequestException

    try:
        yield
    except (RequestException, ConnectionError) as error:  # the second where HF_HUB_OFFLINE forbids any request
        raise StorydeskError(FailureCode.HUB_NOT_REACHED, name=model.id) from error
    except OSError as error:
        raise explain_error(error, folder) from error


def _measure(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _hash(path: Path, report: Progress) -> str:
    digest, size = hashlib.sha256(), path.stat().st_size
    with path.open("rb") as stream:
        while block := stream.read(1 << 22):
            digest.update(block)
            report(size, size)  # nothing new to show, and still a moment to cancel
    return digest.hexdigest()


def _ignore(_done: int, _total: int) -> None:
    """Stand for a progress that nobody follows."""
