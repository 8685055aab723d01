# SPDX-License-Identifier: Apache-2.0
"""A pre-norm block: attention and MLP over binary linear maps."""

from __future__ import annotations

from torch import Tensor, nn

from scaledrop.methods.transformer.linear import Maker
from scaledrop.methods.transformer.source import BitSource
from scaledrop.numbers import drop_code

__all__ = ["Attention", "AttentionDropout", "Mlp"]


class AttentionDropout(nn.Module):
    """Each weight of the attention is set to 0 with probability p, else divided by 1 - p.

    Behind the softmax, so that rows sum to 1 in expectation only; one bit a weight, that is a
    sample, head, query and key.

    Parameters:
        p: 0 to below 1, in units of ``2**-16``.
        source: of the bits.

    Source: the dropout on attention weights of arXiv 1706.03762 and its successors; from memory.
    """

    def __init__(self, p: float, source: BitSource) -> None:
        super().__init__()
        self.drop_code, self.source = drop_code(p), source

    def forward(self, weights: Tensor) -> Tensor:
        """(B, heads, N, N) to the same."""
        if not self.source.on:
            return weights
        keep = self.source.keep(self.drop_code, *weights.shape).to(weights.device)
        return weights * keep / (1 - self.drop_code / 2**16)


class Attention(nn.Module):
    """x + W_o (softmax(Q K^T / sqrt(d)) V), with Q, K, V binary maps of the normalised x.

    Q and K are normalised over the d channels of a head, with one scale vector for all heads.

    Parameters:
        make: the network's parts.
    """

    def __init__(self, make: Maker) -> None:
        super().__init__()
        config = make.config
        width, self.heads = config.width, config.heads
        self.norm = make.norm(width, "input", 3 if config.treatment.branches else 1)
        self.q, self.k, self.v = (make.linear(width, width) for _ in range(3))
        self.q_norm, self.k_norm = (make.norm(width // self.heads, "output") for _ in range(2))
        self.v_out, self.out = make.behind(width), make.linear(width, width)
        self.dropout: nn.Module = nn.Identity()
        if config.randomness == "attention":
            self.dropout = AttentionDropout(config.p, make.source)

    def _split(self, x: Tensor) -> Tensor:
        """(B, N, C) to (B, heads, N, d)."""
        return x.reshape(*x.shape[:-1], self.heads, -1).transpose(1, 2)

    def weights(self, q: Tensor, k: Tensor) -> Tensor:
        """Attention of each query to each key, (B, heads, N, N), rows that sum to 1."""
        q, k = self.q_norm(self._split(q)), self.k_norm(self._split(k))
        weights: Tensor = (q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5).softmax(dim=-1)
        return weights

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, C) to the same."""
        branches = self.norm.scaled(x)
        q, k, v = branches if len(branches) == 3 else branches * 3
        weights = self.dropout(self.weights(self.q(q), self.k(k)))
        mixed = weights @ self._split(self.v_out(self.v(v)))
        result: Tensor = x + self.out(mixed.transpose(1, 2).flatten(2))
        return result


class Mlp(nn.Module):
    """x + norm(W_2 q(W_1 norm(x))): the quantiser q in front of W_2 is the non-linearity.

    Parameters:
        make: the network's parts.
    """

    def __init__(self, make: Maker) -> None:
        super().__init__()
        width, hidden = make.config.width, make.config.hidden
        self.norm = make.norm(width, "input")
        self.up, self.up_out = make.linear(width, hidden), make.behind(hidden)
        self.down, self.out_norm = make.linear(hidden, width), make.norm(width, "output")

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, C) to the same."""
        hidden = self.up_out(self.up(self.norm(x)))
        result: Tensor = x + self.out_norm(self.down(hidden))
        return result
