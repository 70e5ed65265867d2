"""Random programs that end in a loss: slices, strides, reshapes, permutations, concatenations, convolutions.

A program is a list of steps, each a name and numbers, made from a seed without a look at sizes: it runs on tensors
of any. What a step does to the scores it does to the labels, so that they stay beside each other; a step on the
classes alone leaves the labels.
"""

import random

import torch
import torch.nn.functional as F

import losslang

#: Steps along one dimension, each a function of a tensor, a dimension and a number of the step.
ALONG = {
    "head": lambda t, d, n: t.narrow(d, 0, t.shape[d] - n),
    "tail": lambda t, d, n: t.narrow(d, n, t.shape[d] - n),
    "crop": lambda t, d, n: t.narrow(d, n, t.shape[d] - 2 * n),
    "stride": lambda t, d, n: t[(slice(None),) * d + (slice(None, None, n + 1),)],
    "shifted stride": lambda t, d, n: t[(slice(None),) * d + (slice(1, None, n + 1),)],
    "first chunk": lambda t, d, n: t.chunk(n + 1, d)[0],
    "last chunk": lambda t, d, n: t.chunk(n + 1, d)[-1],
    "twice": lambda t, d, n: torch.cat([t, t], d),
    "joined": lambda t, d, n: torch.cat([t, t.narrow(d, 0, t.shape[d] // 2)], d),
    "repeated": lambda t, d, n: t.repeat_interleave(n, d),
    "flipped": lambda t, d, n: t.flip(d),
    "rolled": lambda t, d, n: t.roll(n, d),
    "windows": lambda t, d, n: t.unfold(d, 2, 2).movedim(-1, d).flatten(d, d + 1),
    "half": lambda t, d, n: t.narrow(d, 0, t.shape[d] // 2),
    "padded": lambda t, d, n: torch.cat([t, t.narrow(d, 0, 1)], d),
    "split off": lambda t, d, n: t.split([n, t.shape[d] - n], d)[1],
    "indexed": lambda t, d, n: t.index_select(d, torch.arange(0, t.shape[d], n + 1)),
}

#: Steps that leave shapes, or change them in all tensors in the same way.
LAYOUTS = {
    "channels last": lambda t: t.contiguous(memory_format=torch.channels_last) if t.dim() == 4 else t,
    "contiguous": lambda t: t.contiguous(),
    "transposed in memory": lambda t: t.transpose(0, -1).contiguous().transpose(0, -1),
    "offset": lambda t: torch.cat([t[:1], t])[1:],
}

#: Steps on two dimensions behind the classes: what labels are left with is a stride.
SPATIAL = {
    "convolution": (lambda z: F.conv2d(z, _kernel(z, 3), stride=2, padding=1, groups=z.shape[1]), 2),
    "convolution of all": (lambda z: F.conv2d(z, _kernel(z, 1), stride=1, groups=z.shape[1]), 1),
    "pooling": (lambda z: F.avg_pool2d(z, 2, ceil_mode=True), 2),
    "greatest": (lambda z: F.max_pool2d(z, 3, stride=2, padding=1), 2),
}


def _kernel(z, size):
    return torch.ones(z.shape[1], 1, size, size, dtype=z.dtype) / size**2


def _weights(count, dtype):
    return torch.arange(1, count + 1, dtype=dtype) / 4


class Program:
    """`program(x, y)`: x has the shape (N, C, ...), y that of x or without the classes."""

    def __init__(self, seed):
        choose = random.Random(seed)
        self.seed = seed
        self.rank = choose.choice([2, 2, 3, 4, 4])
        self.family = choose.choice(list(FAMILIES))
        self.options = FAMILIES[self.family](choose)
        self.reduction = choose.choice(["mean", "mean", "sum", "none"])
        self.dense = self.family in ("dense", "numbers", "bits")
        rank, steps = self.rank, []
        for _ in range(choose.randint(1, 4)):
            kind = choose.random()
            if kind < 0.12 and rank == 4 and not self.dense:
                steps.append(("spatial", choose.choice(list(SPATIAL))))
            elif kind < 0.25:
                steps.append(("layout", choose.choice(list(LAYOUTS))))
            elif kind < 0.35 and rank > 2:
                # Positions become rows, as those of a language model do.
                steps.append(("flatten", choose.choice(["rows", "classes last"])))
                rank = 2
            elif kind < 0.42 and rank == 2:
                steps.append(("unflatten",))
                rank = 3
            else:
                dimension = choose.choice([d for d in range(rank) if d != 1 or choose.random() < 0.3])
                steps.append(("along", choose.choice(list(ALONG)), dimension, choose.choice([1, 1, 2])))
        self.steps = tuple(steps)
        self.after = choose.choice(["whole", "half", "columns"])
        self.loss = self.options.pop("make")(self.reduction, self.options)

    def __repr__(self):
        return f"Program({self.seed}): rank {self.rank}, {self.family}, {self.reduction}, " + ", ".join(
            " ".join(map(str, step)) for step in (*self.steps, (self.after,))
        )

    def inputs(self, sizes):
        """For sizes (N, C, H, W), of which the rank says how many count."""
        shape = sizes[: self.rank]
        generator = torch.Generator().manual_seed(self.seed)
        x = torch.randn(shape, generator=generator).requires_grad_()
        if self.dense:
            return x, torch.rand(shape, generator=generator)
        return x, torch.randint(0, 997, (shape[0], *shape[2:]), generator=generator)

    def __call__(self, x, y):
        z = x
        for kind, *details in self.steps:
            if kind == "along":
                name, d, n = details
                z = ALONG[name](z, d, n)
                if self.dense:
                    y = ALONG[name](y, d, n)
                elif d != 1:
                    y = ALONG[name](y, d - (d > 1), n)
            elif kind == "layout":
                z = LAYOUTS[details[0]](z)
                if self.dense:
                    y = LAYOUTS[details[0]](y)
            elif kind == "spatial":
                step, stride = SPATIAL[details[0]]
                z, y = step(z), y[:, ::stride, ::stride]
            elif kind == "flatten":
                if details[0] == "rows":
                    z = z.movedim(1, -1).flatten(0, -2)
                else:
                    z = z.movedim(1, -1).reshape(-1, z.shape[1])
                y = y.movedim(1, -1).flatten(0, -2) if self.dense else y.flatten()
            elif kind == "unflatten":
                rows = z.shape[0] // 2
                z = z[: 2 * rows].unflatten(0, (rows, 2)).transpose(1, 2)
                y = y[: 2 * rows].unflatten(0, (rows, 2))
                y = y.transpose(1, 2) if self.dense else y
        value = self.loss(z, y if self.dense else y % z.shape[1])
        if value.dim() == 0:
            return value
        # The incoming gradient differs from element to element.
        factors = _weights(value.numel(), value.dtype).cos().reshape(value.shape)
        if self.after == "half":
            value, factors = value[::2], factors[::2]
        elif self.after == "columns" and value.dim() > 1:
            value, factors = value[:, 1:], factors[:, 1:]
        return (value * factors).sum()


def _library(name):
    def make(reduction, options):
        return getattr(losslang.losses, name)(reduction=reduction, **options)

    return make


def _functional(name):
    def make(reduction, options):
        function = getattr(losslang.functional, name)
        return lambda z, y: function(z, y, reduction=reduction, **options)

    return make


def _scored(name, activation):
    """Of a function that wants the scores in some range."""

    def make(reduction, options):
        function = getattr(losslang.functional, name)
        return lambda z, y: function(activation(z), y, reduction=reduction, **options)

    return make


def _weighted(name):
    """Weights of the classes as the scores have them, and of the samples."""

    def make(reduction, options):
        loss = getattr(losslang.losses, name)(reduction=reduction)

        def call(z, y):
            if options["sample_weight"] == "rows":
                return loss(z, y, sample_weight=_weights(z.shape[0], z.dtype))
            return loss(z, y, sample_weight=torch.ones_like(y, dtype=z.dtype))

        return call

    return make


#: What a program may end in, each with its options.
FAMILIES = {
    "cross entropy": lambda choose: {
        "make": _library("cross_entropy"),
        "label_smoothing": choose.choice([0.0, 0.1]),
        "ignore_index": choose.choice([-100, 1]),
    },
    "focal": lambda choose: {
        "make": _library(choose.choice(["focal", "ngl"])),
    },
    "weighted": lambda choose: {
        "make": _weighted("cross_entropy"),
        "sample_weight": choose.choice(["rows", "elements"]),
    },
    "nll": lambda choose: {
        "make": _scored("nll_loss", lambda z: z.log_softmax(1)),
    },
    "functional": lambda choose: {"make": _functional("cross_entropy")},
    "dense": lambda choose: {
        "make": _functional(choose.choice(["cross_entropy", "binary_cross_entropy_with_logits"])),
    },
    "numbers": lambda choose: {
        "make": _functional(choose.choice(["mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss"])),
    },
    "bits": lambda choose: {"make": _scored("binary_cross_entropy", torch.sigmoid)},
}
