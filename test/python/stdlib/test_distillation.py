"""The losses of distillation against formulas written from their papers."""

import torch
import torch.nn.functional as F
from harness import F64, Case, cases_of, check, check_derivatives, smooth_cases

TABLES = ((1, 1), (7, 3), (4, 10), (3, 37))


def networks(names=("student", "teacher"), extreme=True, **more):
    def inputs(size):
        scales = {"random": 3.0, "small": 0.1}
        if extreme:
            scales["great"] = 30.0
        for kind, scale in scales.items():
            given = {n: torch.randn(size, dtype=F64) * scale for n in names}
            yield kind, {**given, **{n: make(size) for n, make in more.items()}}

    return inputs


def labels(size):
    return torch.randint(size[1], (size[0],))


def kl_div(log_probabilities, y, log_target=False):
    return F.kl_div(log_probabilities, y, log_target=bool(log_target), reduction="none")


def logs(size):
    """Logarithms of probabilities; as a target, probabilities are logarithms of others."""
    x = torch.log_softmax(torch.randn(size, dtype=F64) * 3, -1)
    yield "random", {"log_probabilities": x, "y": torch.softmax(torch.randn(size, dtype=F64), -1)}
    y = torch.randint(0, 2, size).to(F64)
    yield "zero or one", {"log_probabilities": x, "y": y}


def distillation_kl(student, teacher, temperature=4.0):
    log_p = torch.log_softmax(student / temperature, 1)
    q = torch.softmax(teacher / temperature, 1)
    return F.kl_div(log_p, q, reduction="none").sum(1) * temperature**2


def distillation(student, y, teacher, temperature=4.0, alpha=0.9):
    hard = F.cross_entropy(student, y, reduction="none")
    return (1 - alpha) * hard + alpha * distillation_kl(student, teacher, temperature)


def decoupled_kd(student, teacher, y, alpha=1.0, beta=8.0, temperature=4.0):
    p = torch.softmax(student / temperature, 1)
    q = torch.softmax(teacher / temperature, 1)
    terms = []
    for pi, qi, t in zip(p, q, y.tolist()):
        wrong = [k for k in range(len(pi)) if k != t]
        b = lambda v: torch.stack([v[t], v[wrong].sum()])
        rest = lambda v: v[wrong] / v[wrong].sum()
        kl = lambda u, v: (u * (u / v).log()).sum()
        terms.append(alpha * kl(b(qi), b(pi)) + beta * kl(rest(qi), rest(pi)))
    return torch.stack(terms) * temperature**2


def dist(student, teacher, beta=1.0, gamma=1.0, temperature=4.0, epsilon=1e-8):
    p = torch.softmax(student / temperature, 1)
    q = torch.softmax(teacher / temperature, 1)

    def mean_distance(a, b):
        return torch.stack(
            [1 - torch.corrcoef(torch.stack([u, v]))[0, 1] for u, v in zip(a, b)]
        ).mean()

    return temperature**2 * (beta * mean_distance(p, q) + gamma * mean_distance(p.T, q.T))


def attention_transfer(student, teacher):
    return torch.linalg.vector_norm(F.normalize(student) - F.normalize(teacher), dim=1)


def dino(student, teacher, center, student_temperature=0.1, teacher_temperature=0.04):
    q = torch.softmax((teacher - center) / teacher_temperature, 1)
    return F.cross_entropy(student / student_temperature, q, reduction="none")


CASES = [
    Case("kl_div", logs, kl_div, ({}, {"log_target": True}), ((1,), (7,), (3, 5))),
    Case("distillation_kl", networks(), distillation_kl, ({}, {"temperature": 1.0}), TABLES,
         ("teacher",), condition=16),
    Case("distillation", networks(y=labels), distillation, ({}, {"temperature": 2.0, "alpha": 0.3}),
         TABLES, ("teacher",), condition=16),
    Case("decoupled_kd", networks(y=labels, extreme=False), decoupled_kd,
         ({}, {"alpha": 2.0, "beta": 0.5, "temperature": 1.0}), ((1, 2), (7, 3), (4, 10)),
         ("teacher",), condition=1e3),
    # The correlation of probabilities that hardly differ.
    Case("dist", networks(extreme=False), dist,
         ({}, {"beta": 2.0, "gamma": 0.5, "temperature": 1.0}),
         ((3, 4), (7, 3), (4, 10)), ("teacher",), condition=1e5),
    Case("attention_transfer", networks(), attention_transfer, sizes=((2, 2), (7, 3), (4, 50)),
         fixed=("teacher",), condition=100),
    Case("dino", networks(center=lambda size: torch.randn(size[1], dtype=F64)), dino,
         ({}, {"student_temperature": 1.0, "teacher_temperature": 0.5}), TABLES,
         ("teacher", "center"), condition=30),
]


@cases_of(CASES)
def test_agrees_with_the_formula(case, setting):
    check(case, setting)


@smooth_cases(CASES)
def test_derivatives(case):
    check_derivatives(case)
