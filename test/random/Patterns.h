//===- Patterns.h - formulas that the compiler rewrites ---------*- C++ -*-===//
#ifndef LOSSLANG_TEST_RANDOM_PATTERNS_H
#define LOSSLANG_TEST_RANDOM_PATTERNS_H

#include "test/random/Intervals.h"

namespace loss::stress {

/// # is the first operand, $ the second, @ an axis of the first.
struct Pattern {
  const char *text;
  /// Where the operands are to lie, and where the result then does.
  Interval x, y, result;
};

inline const Pattern patterns[] = {
    {"log(softmax(# over @))", around(20), {}, {-45, 0}},
    {"log(sum(exp(#) over @))", around(20), {}, around(24)},
    {"exp(log_softmax(# over @))", around(20), {}, {0, 1}},
    {"log(1 + exp(#))", around(30), {}, {0, 31}},
    {"log(sigmoid(#))", around(30), {}, {-31, 0}},
    {"1 / (1 + exp(-#))", around(30), {}, {0, 1}},
    {"1 - sigmoid(#)", around(30), {}, {0, 1}},
    {"log(1 - sigmoid(#))", around(12), {}, {-13, 0}},
    {"log(1 - softmax(# over @))", around(8), {}, {-10, 0}},
    {"-log1p(-exp(log_softmax(# over @)))", around(8), {}, {0, 10}},
    {"log(1 - sum(softmax(# over @) * softmax($ over @) over @))", around(4), around(4), {-9, 0}},
    {"$ / (1 - softmax(# over @))", around(4), around(10), around(1e4)},
    {"softmax(# over @) * log_softmax(# over @)", around(30), {}, {-0.4, 0}},
    {"softmax(# over @)^0.3 + sqrt(sigmoid($))", around(30), around(30), {0, 2}},
    {"sigmoid(#)^abs($)", around(10), around(3), {0, 1}},
    {"softmax(# over @) / softmax($ over @)", around(5), around(5), {0, 1e5}},
    {"log(cosh(#)) + (1 - cos($))", around(50), around(10), {0, 52}},
    {"sqrt(1 + #^2) - 1 + (cosh($) - 1)", around(30), around(5), {0, 104}},
    {"(1 - tanh(#)^2) * (1 - erf($))", around(5), around(3), {0, 2}},
    {"sigmoid(#) * (1 - sigmoid(#)) + log1mexp(-0.1 - abs($))", around(30), around(30), {-3, 1}},
    {"$ * expm1(# * $) / #", {0.01, 3}, around(2), {-2, 404}},
    {"expm1(#) / # + log1p($) / $", {0.1, 4}, {0.01, 50}, {0, 15}},
    {"log1p(# * $) / # + # * log1p($ / #)", {0.01, 30}, {0, 30}, {0, 60}},
    {"(expm1(#) - #) + ($ - expm1($))", around(5), around(5), around(300)},
    {"exp(#) - 1", around(6), {}, {-1, 403}},
    {"log(1 + #)", {-0.9, 1e4}, {}, {-3, 10}},
    {"exp(log(#))", {0.01, 1e3}, {}, {0, 1e3}},
    {"log(exp(#))", around(30), {}, around(30)},
    {"# * $ - # * $", around(50), around(50), around(1)},
    {"(# + $) - $", around(1e3), around(1e3), around(1e3)},
    {"# / # + $", {0.01, 1e3}, around(1e3), around(1e3)},
    {"0 * # + 1 * $", around(1e3), around(1e3), around(1e3)},
    {"-(-#) - (-$)", around(1e3), around(1e3), around(2e3)},
    {"sqrt(#^2) + sqrt($ * $)", around(1e2), around(1e2), {0, 200}},
    {"#^2 - 2 * # * $ + $^2", around(30), around(30), {0, 4e3}},
    {"max(#, 0) + min($, 0)", around(1e3), around(1e3), around(1e3)},
    {"max(#, $) - min(#, $)", around(1e3), around(1e3), {0, 2e3}},
    {"if # > 0 then # else -#", around(1e3), {}, {0, 1e3}},
    {"if # > $ then sqrt(# - $) else 0", around(1e2), around(1e2), {0, 20}},
    {"exp(#) / sum(exp(#) over @)", around(10), {}, {0, 1}},
    {"# - logsumexp(# over @)", around(50), {}, {-104, 0}},
    {"# - max(# over @)", around(1e3), {}, {-2e3, 0}},
    {"# / (norm(# over @) + 0.1)", around(1e3), {}, around(1)},
    {"mean((# - mean(# over @))^2 over @)", around(30), {}, {0, 900}},
    {"sum(# * softmax($ over @) over @)", around(1e2), around(1e2), around(1e2)},
    {"-sum(# * log_softmax($ over @) over @)", {0, 1}, around(30), {0, 3e3}},
    {"1 - (1 - exp(#))^2", {-20, 0}, {}, {0, 1}},
    {"exp(#) * exp($)", around(5), around(5), {0, 3e4}},
    {"exp(# + $) / exp($)", around(5), around(5), {0, 404}},
    {"tanh(#) * sin($)", around(1e3), around(1e2), around(1)},
    {"cos(tanh(#)) + sin(sigmoid($))", around(1e3), around(1e3), around(2)},
};

} // namespace loss::stress

#endif // LOSSLANG_TEST_RANDOM_PATTERNS_H
