"""The losses of generative models and of preferences against formulas written from their papers."""

import torch
import torch.nn.functional as F
from harness import F64, STOPPED, Case, cases_of, check, check_derivatives, smooth_cases

D = torch.distributions
ELEMENTS = ((1,), (7,), (130,))
TABLES = ((1, 1), (7, 3), (4, 10))


def numbers(*names, scales=(1.0, 30.0)):
    def inputs(size):
        for scale in scales:
            yield f"scale {scale}", {n: torch.randn(size, dtype=F64) * scale for n in names}

    return inputs


def real_label(logits, value):
    label = torch.full_like(logits, value)
    return F.binary_cross_entropy_with_logits(logits, label, reduction="none")


def gan_generator(fake, saturating=False):
    return -real_label(fake, 0.0) if saturating else real_label(fake, 1.0)


def lsgan_discriminator(real, fake, a=0.0, b=1.0):
    return 0.5 * (real - b) ** 2 + 0.5 * (fake - a) ** 2


def critic(size):
    samples, dims = size
    yield "random", {
        "real": torch.randn(samples, dtype=F64),
        "fake": torch.randn(samples, dtype=F64),
        "gradient": torch.randn(samples, dims, dtype=F64) + 0.1,
    }


def wgan_gp(real, fake, gradient, penalty=10.0):
    return fake - real + penalty * (torch.linalg.vector_norm(gradient, dim=1) - 1) ** 2


def relativistic_gan(real, fake, generator=False):
    if generator:
        real, fake = fake, real
    return real_label(real - fake.mean(), 1.0) + real_label(fake - real.mean(), 0.0)


def normal_kl(mu, log_variance):
    theirs = D.Normal(mu, torch.exp(0.5 * log_variance))
    return D.kl_divergence(theirs, D.Normal(torch.zeros_like(mu), 1.0)).sum(1)


def vae(size):
    samples, pixels = size
    for scale in (1.0, 10.0):
        yield f"scale {scale}", {
            "logits": torch.randn(size, dtype=F64) * scale,
            "y": torch.rand(size, dtype=F64),
            "mu": torch.randn(samples, 4, dtype=F64),
            "log_variance": torch.randn(samples, 4, dtype=F64),
        }


def beta_vae(logits, y, mu, log_variance, beta=1.0):
    likelihood = -F.binary_cross_entropy_with_logits(logits, y, reduction="none").sum(1)
    return -(likelihood - beta * normal_kl(mu, log_variance))


def vq_vae(encoded, code, beta=0.25):
    codebook = F.mse_loss(code, encoded.detach(), reduction="none").sum(1)
    return codebook + beta * F.mse_loss(encoded, code.detach(), reduction="none").sum(1)


def samples(size):
    """Two samples of unequal size."""
    count, dims = size
    yield "random", {
        "x": torch.randn(count, dims, dtype=F64),
        "y": torch.randn(count + 2, dims, dtype=F64) + 0.5,
    }


def mmd(x, y, bandwidth=1.0):
    def kernel(a, b):
        return torch.stack(
            [torch.stack([torch.exp(-((u - v) ** 2).sum() / (2 * bandwidth**2)) for v in b]) for u in a]
        ).mean()

    return kernel(x, x) + kernel(y, y) - 2 * kernel(x, y)


def ppo_clip(log_p, old_log_p, advantage, epsilon=0.2):
    ratio = torch.exp(log_p - old_log_p)
    bounded = torch.where(advantage > 0, 1 + epsilon, 1 - epsilon + 0 * ratio)
    # min(r A, clip(r) A): clipped from above for good actions, from below for bad ones.
    clipped = torch.where(advantage > 0, torch.minimum(ratio, bounded), torch.maximum(ratio, bounded))
    return -clipped * advantage


def preference(chosen, rejected, reference_chosen, reference_rejected):
    return (chosen - rejected) - (reference_chosen - reference_rejected)


def dpo(chosen, rejected, reference_chosen, reference_rejected, beta=0.1, smoothing=0.0):
    h = beta * preference(chosen, rejected, reference_chosen, reference_rejected)
    return -F.logsigmoid(h) * (1 - smoothing) - F.logsigmoid(-h) * smoothing


def ipo(chosen, rejected, reference_chosen, reference_rejected, beta=0.1):
    h = preference(chosen, rejected, reference_chosen, reference_rejected)
    return (h - 1 / (2 * beta)) ** 2


PREFERENCES = numbers("chosen", "rejected", "reference_chosen", "reference_rejected")
REFERENCES = ("reference_chosen", "reference_rejected")

CASES = [
    Case("gan_discriminator", numbers("real", "fake"),
         lambda real, fake: real_label(real, 1.0) + real_label(fake, 0.0), sizes=ELEMENTS, fixed=()),
    Case("gan_generator", numbers("fake"), gan_generator, ({}, {"saturating": True}), ELEMENTS, ()),
    Case("lsgan_discriminator", numbers("real", "fake"), lsgan_discriminator, ({}, {"a": -1.0}),
         ELEMENTS, ()),
    Case("lsgan_generator", numbers("fake"), lambda fake, c=1.0: 0.5 * (fake - c) ** 2, ({},
         {"c": 0.0}),
         ELEMENTS, ()),
    Case("hinge_gan_discriminator", numbers("real", "fake"),
         lambda real, fake: -torch.minimum(torch.zeros_like(real), real - 1)
         - torch.minimum(torch.zeros_like(fake), -fake - 1), sizes=ELEMENTS, fixed=()),
    Case("wgan_gp", critic, wgan_gp, ({}, {"penalty": 1.0}), TABLES, (), condition=30),
    Case("relativistic_gan", numbers("real", "fake"), relativistic_gan, ({}, {"generator": True}),
         ELEMENTS, ()),
    Case("gaussian_kl", numbers("mu", "log_variance", scales=(1.0, 3.0)), normal_kl, sizes=TABLES,
         fixed=(), condition=10),
    Case("beta_vae", vae, beta_vae, ({}, {"beta": 4.0}), TABLES, condition=10),
    Case("vq_vae", numbers("encoded", "code", scales=(1.0,)), vq_vae, ({}, {"beta": 1.0}), TABLES,
         (), rough=STOPPED),
    Case("mmd", samples, mmd, ({}, {"bandwidth": 3.0}), TABLES, (), condition=4),
    Case("r1_penalty", numbers("gradient"), lambda gradient, gamma=10.0: gamma / 2
         * torch.linalg.vector_norm(gradient, dim=1) ** 2, ({}, {"gamma": 1.0}), TABLES, ()),
    Case("ppo_clip", numbers("log_p", "old_log_p", "advantage", scales=(0.3, 1.0)), ppo_clip,
         ({}, {"epsilon": 0.05}), ELEMENTS, ("old_log_p", "advantage"), condition=10),
    Case("dpo", PREFERENCES, dpo, ({}, {"beta": 0.5, "smoothing": 0.2}), ELEMENTS, REFERENCES),
    Case("ipo", PREFERENCES, ipo, ({}, {"beta": 0.5}), ELEMENTS, REFERENCES),
]


@cases_of(CASES)
def test_agrees_with_the_formula(case, setting):
    check(case, setting)


@smooth_cases(CASES)
def test_derivatives(case):
    check_derivatives(case)
