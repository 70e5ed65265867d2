"""The functions of losslang.functional: what they take, for the tests that call all of them."""

import torch


def numbers(shape, kind="real", dtype=torch.float32):
    """Tensors of a kind that the functions expect somewhere; integers where the type is one."""
    if kind == "index":
        made = torch.randint(0, 3, shape)
    elif kind == "listed":
        made = torch.full(shape, -1)
        if shape and shape[-1] > 0:
            made[..., 0] = 0
    elif kind == "sign":
        # Types without a sign have one kind of label.
        unsigned = dtype in (torch.uint8, torch.bool)
        made = torch.ones(shape) if unsigned else torch.randint(0, 2, shape) * 2.0 - 1
    elif kind == "unit":
        made = torch.rand(shape) * 0.98 + 0.01
    elif kind == "binary":
        made = torch.randint(0, 2, shape).float()
    elif kind == "positive":
        made = torch.rand(shape) + 0.1
    else:
        made = torch.randn(shape)
    return made.to(dtype) if dtype is not None else made



#: Each function: the kinds and usual shapes of its inputs, and values for its options.
FUNCTIONS = {
    "cross_entropy": (
        {"input": ("real", (4, 3)), "target": ("index", (4,))},
        {
            "weight": [(3,), (4,), (1,), (), (3, 1)],
            "ignore_index": [-100, 0, 1, -1, 7],
            "label_smoothing": [0.0, 0.3, 1.0, 1.1, 1],
        },
    ),
    "nll_loss": (
        {"input": ("real", (4, 3)), "target": ("index", (4,))},
        {"weight": [(3,), (4,), (1,), (), (3, 1)], "ignore_index": [-100, 0, 1, -1, 7]},
    ),
    "binary_cross_entropy": (
        {"input": ("unit", (4, 3)), "target": ("unit", (4, 3))},
        {"weight": [(4, 3), (3,), (4, 1), (), (1,), (4,), (2, 4, 3)]},
    ),
    "binary_cross_entropy_with_logits": (
        {"input": ("real", (4, 3)), "target": ("unit", (4, 3))},
        {
            "weight": [(4, 3), (3,), (4, 1), (), (1,), (4,), (2, 4, 3)],
            "pos_weight": [(4, 3), (3,), (4, 1), (), (1,), (4,), (2, 4, 3)],
        },
    ),
    "kl_div": (
        {"input": ("real", (4, 3)), "target": ("unit", (4, 3))},
        {"log_target": [False, True, 1, 0]},
    ),
    "l1_loss": (
        {"input": ("real", (4, 3)), "target": ("real", (4, 3))},
        {"weight": [(4, 3), (3,), (4, 1), (), (2, 4, 3)]},
    ),
    "mse_loss": (
        {"input": ("real", (4, 3)), "target": ("real", (4, 3))},
        {"weight": [(4, 3), (3,), (4, 1), (), (2, 4, 3)]},
    ),
    "smooth_l1_loss": (
        {"input": ("real", (4, 3)), "target": ("real", (4, 3))},
        {"beta": [1.0, 2, 0.0, 0, -1.0, 1e-3, float("inf"), float("nan")]},
    ),
    "huber_loss": (
        {"input": ("real", (4, 3)), "target": ("real", (4, 3))},
        {
            "delta": [1.0, 2, 0.0, -1.0, 1e-3, float("inf"), float("nan")],
            "weight": [(4, 3), (3,), (4, 1), (), (2, 4, 3)],
        },
    ),
    "poisson_nll_loss": (
        {"input": ("positive", (4, 3)), "target": ("positive", (4, 3))},
        {
            "log_input": [True, False, 1, 0],
            "full": [True, False, 1],
            "eps": [1e-8, 1e-2, 0.0, 1],
        },
    ),
    "gaussian_nll_loss": (
        {"input": ("real", (4, 3)), "target": ("real", (4, 3)), "var": ("positive", (4, 3))},
        {"full": [True, False, 1], "eps": [1e-6, 0.5, 1, 0.0, -1.0]},
    ),
    "multi_margin_loss": (
        {"input": ("real", (4, 3)), "target": ("index", (4,))},
        {
            "p": [1, 2, 3, 1.0, 2.0, 0],
            "margin": [1.0, 0.5, 0, -1.0],
            "weight": [(3,), (4,), (1,), (), (3, 1)],
        },
    ),
    "multilabel_margin_loss": ({"input": ("real", (4, 3)), "target": ("listed", (4, 3))}, {}),
    "multilabel_soft_margin_loss": (
        {"input": ("real", (4, 3)), "target": ("binary", (4, 3))},
        {"weight": [(4, 3), (3,), (4, 1), (), (1,), (4,), (2, 4, 3)]},
    ),
    "soft_margin_loss": ({"input": ("real", (4, 3)), "target": ("sign", (4, 3))}, {}),
    "hinge_embedding_loss": (
        {"input": ("real", (4, 3)), "target": ("sign", (4, 3))},
        {"margin": [1.0, 0.5, 0, -1.0]},
    ),
    "cosine_embedding_loss": (
        {"input1": ("real", (4, 3)), "input2": ("real", (4, 3)), "target": ("sign", (4,))},
        {"margin": [0, 0.5, -0.5, 2.0]},
    ),
    "margin_ranking_loss": (
        {"input1": ("real", (4, 3)), "input2": ("real", (4, 3)), "target": ("sign", (4, 3))},
        {"margin": [0, 0.5, -0.5, 2]},
    ),
    "triplet_margin_loss": (
        {"anchor": ("real", (4, 3)), "positive": ("real", (4, 3)), "negative": ("real", (4, 3))},
        {
            "margin": [1.0, 2, 0.1, 0, -1.0],
            "p": [2, 1, 2.0, 3, 1.5, 0.5, 0, -1, float("inf")],
            "eps": [1e-6, 0.0, 1e-3],
            "swap": [False, True, 1],
        },
    ),
}
