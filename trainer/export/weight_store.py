"""Where a graph's weights go: into the graph while they are small, else straight into one file beside it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper

_ALIGNMENT = 4096


class WeightStore:
    """Collects a graph's tensors by name. A file beside the graph is mapped and not copied when it is loaded."""

    def __init__(self, path: Path, location: str, external: bool) -> None:
        """Write to ``path`` where ``external``; the graph will look for it under the name ``location``."""
        self._location = location
        self._stream = path.open("wb") if external else None
        self._names: set[str] = set()
        self.tensors: list[TensorProto] = []

    def __enter__(self) -> WeightStore:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Force what was written to disk."""
        if self._stream is not None:
            self._stream.flush()
            os.fsync(self._stream.fileno())
            self._stream.close()

    def __contains__(self, name: str) -> bool:
        """Say whether a tensor has been added."""
        return name in self._names

    def add(self, name: str, values: NDArray[np.generic]) -> str:
        """Keep an array under ``name`` and return the name; what is there already is kept as it is."""
        if name in self._names:
            return name
        self._names.add(name)
        values = np.asarray(values)
        if values.ndim:
            values = np.ascontiguousarray(values)
        tensor = TensorProto(name=name, data_type=helper.np_dtype_to_tensor_dtype(values.dtype), dims=values.shape)
        if self._stream is None or values.nbytes < _ALIGNMENT:
            tensor.raw_data = values.tobytes()
        else:
            self._stream.write(b"\0" * (-self._stream.tell() % _ALIGNMENT))
            places = {"location": self._location, "offset": self._stream.tell(), "length": values.nbytes}
            values.tofile(self._stream)
            tensor.data_location = TensorProto.EXTERNAL
            for key, value in places.items():
                tensor.external_data.add(key=key, value=str(value))
        self.tensors.append(tensor)
        return name
