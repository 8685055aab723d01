# SPDX-License-Identifier: Apache-2.0
"""Images as transfers of a pixel stream, whole and broken, and how they are offered."""

__all__ = ["broken", "framed", "offered", "payload"]


def framed(images):
    """(value, last) of every pixel, ``last`` where it belongs."""
    return [
        (value, int(at == len(image) - 1)) for image in images for at, value in enumerate(image)
    ]


def broken(images, rng, rate):
    """The same, but each ``last`` is inverted with probability ``rate``."""
    return [(value, int(last ^ (rng.random() < rate))) for value, last in framed(images)]


def payload(transfer):
    """What a stream carries for (value, last)."""
    return dict(zip(("value", "last"), transfer, strict=True))


async def offered(ctx, dut, transfers, rng, idle=0.0, keep=0.0):
    """Offer the transfers and free what is held; yields in every cycle, inputs set.

    A cycle is idle with probability ``idle``; a whole image is kept for another cycle with
    probability ``keep``.
    """
    stream, todo = dut.pixels, list(transfers)
    while todo or ctx.get(dut.held):
        valid = bool(todo) and rng.random() >= idle
        ctx.set(stream.valid, int(valid))
        ctx.set(dut.free, int(ctx.get(dut.held) > 0 and rng.random() >= keep))
        if valid:
            ctx.set(stream.payload, payload(todo[0]))
            if ctx.get(stream.ready):
                todo.pop(0)
        yield
        await ctx.tick()
