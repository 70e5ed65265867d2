//===- Lint.cpp -----------------------------------------------------------===//
#include "lang/Lint.h"

#include "lang/Builtins.h"
#include "lang/Forms.h"
#include "lang/Ranges.h"
#include "lang/Roots.h"

#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <set>

namespace loss::lang {

namespace {

constexpr float inf = std::numeric_limits<float>::infinity();

class Linter {
public:
  Linter(const Program &program, DiagnosticEngine &diagnostics)
      : program(program), diagnostics(diagnostics), forms(program), ranges(rangesOf(program)) {}

  void run() {
    checkGradient();
    checkRoots();
    for (const Node &node : program.nodes) {
      checkForm(node);
      checkFinite(node);
      checkRounding(node);
    }
    checkBranches();
  }

private:
  const Node &operand(const Node &node, size_t i) const { return program.nodes[node.operands[i]]; }
  const Range &rangeOf(const Node &node, size_t i) const { return ranges[node.operands[i]]; }

  bool isConstant(const Node &node, double value) const {
    return node.op == Op::Constant && node.value == value;
  }

  /// Once for each place, however often a function is expanded.
  void warn(std::string name, const Node &node, std::string message, std::string hint = {}) {
    if (!reported.emplace(node.range, name).second)
      return;
    Diagnostic &diagnostic = diagnostics.warning(node.range, std::move(message), std::move(name));
    diagnostic.hint = std::move(hint);
    for (int32_t call = node.call; call >= 0; call = program.calls[call].parent)
      diagnostic.notes.push_back(
          {program.calls[call].range, "in this call of '" + program.calls[call].function + "'"});
  }

  //===--- Gradient -------------------------------------------------------===//

  static bool hasDerivative(Op op) {
    switch (op) {
    case Op::stop_gradient:
    case Op::floor:
    case Op::ceil:
    case Op::round:
    case Op::sign:
    case Op::rank:
    case Op::reduce_argmax:
    case Op::reduce_argmin:
      return false;
    default:
      return true;
    }
  }

  /// Which nodes gradients flow through to an input.
  void findVarying() {
    varies.resize(program.nodes.size());
    for (size_t i = 0; i < program.nodes.size(); ++i) {
      const Node &node = program.nodes[i];
      if (node.op == Op::Input)
        varies[i] = program.inputs[node.index].kind == InputKind::Value;
      else if (!node.type.isBool && hasDerivative(node.op))
        for (size_t j = 0; j < node.operandCount; ++j)
          varies[i] = varies[i] || (varies[node.operands[j]] && !(takesKey(node.op) && j == 1));
    }
  }

  void checkGradient() {
    findVarying();
    if (varies[program.result])
      return;
    diagnostics
        .warning(program.range,
                 "the loss '" + program.name +
                     "' has no gradient: no input that gradients flow to "
                     "has a smooth influence on it",
                 "constant-loss")
        .hint = "comparisons, argmax, rank, sign, floor and stop_gradient stop the gradient";
  }

  void checkRoots() {
    for (const RootAtZero &root : rootsAtZero(program, ranges, varies))
      warn("root-at-zero", program.nodes[root.node],
           "the gradient of " + root.root + " is infinite or NaN where its operand is " +
               root.operand + ", as this one can be",
           root.hint);
  }

  //===--- Stable forms ---------------------------------------------------===//

  /// Axes of a function over an axis, as the language writes them.
  std::string over(const Node &node) const { return " over " + program.axes[node.axis]; }

  /// `1 - x`: x, or null.
  const Node *complement(const Node &node) const {
    bool is = node.op == Op::Sub && isConstant(operand(node, 0), 1);
    return is ? &operand(node, 1) : nullptr;
  }

  /// How log(1 - p) is written so that it keeps its digits where p rounds to 1.
  struct Complement {
    std::string p, rounding, stable;
    /// Its bounds keep the logarithm finite, and its gradient out.
    bool isClamped = false;

    std::string when() const {
      return isClamped ? "constant, with the gradient 0, where " + rounding + " is near 1"
                       : "-inf where " + rounding + " rounds to 1";
    }
  };
  std::optional<Complement> logOfComplement(const Node &p) const {
    if (p.op == Op::clamp || p.op == Op::min) {
      std::optional<Complement> inner = logOfComplement(operand(p, 0));
      if (inner)
        *inner = {std::string(opName(p.op)) + "(" + inner->p + ", ...)", inner->rounding,
                  inner->stable, true};
      return inner;
    }
    if (p.op == Op::sigmoid)
      return Complement{"sigmoid(x)", "sigmoid(x)", "log_sigmoid(-x)"};
    if (p.op == Op::softmax)
      return Complement{"softmax(x)", "a probability", "log1mexp(log_softmax(x" + over(p) + "))"};
    if (p.op == Op::exp)
      return Complement{"exp(x)", "exp(x)", "log1mexp(x)"};
    return std::nullopt;
  }

  void checkForm(const Node &node) {
    if (node.op == Op::log1p) {
      const Node &x = operand(node, 0);
      if (x.op == Op::exp)
        warn("unstable-form", node, "log1p(exp(x)) overflows where x is large",
             "the stable form is 'softplus(x)'");
      if (x.op == Op::Neg)
        if (auto form = logOfComplement(operand(x, 0)))
          warn("unstable-form", node, "log1p(-" + form->p + ") is " + form->when(),
               "the stable form is '" + form->stable + "'");
      return;
    }
    if (node.op != Op::log && node.op != Op::log2 && node.op != Op::log10)
      return;
    const Node &x = operand(node, 0);
    std::string log(opName(node.op));
    auto unstable = [&](std::string form, std::string when, std::string stable) {
      warn("unstable-form", node, log + "(" + form + ") is " + when,
           node.op == Op::log
               ? "the stable form is '" + stable + "'"
               : "use '" + stable + " / log(" + (node.op == Op::log2 ? "2" : "10") + ")'");
    };
    if (x.op == Op::softmax)
      unstable("softmax(x)", "-inf where a probability underflows to 0",
               "log_softmax(x" + over(x) + ")");
    else if (x.op == Op::sigmoid)
      unstable("sigmoid(x)", "-inf where sigmoid(x) underflows to 0", "log_sigmoid(x)");
    else if (x.op == Op::exp)
      unstable("exp(x)", "infinite where exp(x) underflows or overflows", "x");
    else if (x.op == Op::reduce_sum && operand(x, 0).op == Op::exp)
      unstable("sum(exp(x))", "infinite where exp(x) underflows or overflows",
               "logsumexp(x" + over(x) + ")");
    else if (x.op == Op::cumsum && operand(x, 0).op == Op::exp)
      unstable("cumsum(exp(x))", "infinite where exp(x) underflows or overflows",
               "logcumsumexp(x" + over(x) + (x.operandCount > 1 ? " by key)" : ")"));
    else if (const Node *p = complement(x)) {
      if (auto form = logOfComplement(*p))
        unstable("1 - " + form->p, form->when(), form->stable);
    } else if (x.op == Op::Add && ((isConstant(operand(x, 0), 1) && operand(x, 1).op == Op::exp) ||
                                   (isConstant(operand(x, 1), 1) && operand(x, 0).op == Op::exp)))
      unstable("1 + exp(x)", "infinite where exp(x) overflows", "softplus(x)");
  }

  //===--- Values that are never finite -----------------------------------===//

  void checkFinite(const Node &node) {
    if (node.operandCount == 0)
      return;
    const Range &x = rangeOf(node, 0);
    std::string name(opName(node.op));
    auto never = [&](std::string what) { warn("non-finite", node, std::move(what)); };
    switch (node.op) {
    case Op::log:
    case Op::log2:
    case Op::log10:
      if (x.high <= 0)
        never("expected a positive operand of '" + name + "', but this one never is");
      return;
    case Op::log1p:
      if (x.high <= -1)
        never("expected an operand of 'log1p' above -1, but this one never is");
      return;
    case Op::sqrt:
      if (x.high < 0)
        never("expected an operand of 'sqrt' of 0 or more, but this one is always negative");
      return;
    case Op::acosh:
      if (x.high < 1)
        never("expected an operand of 'acosh' of 1 or more, but this one never is");
      return;
    case Op::asin:
    case Op::acos:
    case Op::atanh:
    case Op::erfinv:
      if (x.high < -1 || x.low > 1)
        never("expected an operand of '" + name + "' from -1 to 1, but this one never is");
      return;
    case Op::Div:
      // 1 / 0 is how infinity is written.
      if (const Range &y = rangeOf(node, 1);
          y.low == 0 && y.high == 0 && (!x.isPoint() || x.low == 0))
        never("expected a divisor other than 0, but this one always is 0");
      return;
    case Op::pow:
      if (const Range &y = rangeOf(node, 1);
          x.high < 0 && y.isPoint() && y.low != std::floor(y.low))
        never("expected a base of 0 or more for this exponent, but it is always negative");
      return;
    default:
      return;
    }
  }

  //===--- Constants ------------------------------------------------------===//

  static std::string text(auto number) {
    char buffer[64];
    return {buffer, std::to_chars(buffer, buffer + sizeof buffer, number).ptr};
  }

  /// A constant that f32 has no number for, so that what it was to differ from takes its place.
  void warnOfRounding(const Node &node, double value) {
    float rounded = static_cast<float>(value);
    float next = std::nextafter(rounded, value < rounded ? -inf : inf);
    warn("rounded-constant", node, text(value) + " is " + text(rounded) + " in f32",
         "the next number of f32 is " + text(next) +
             (rounded == 1 ? ": write 1e-7 or more for the distance to 1" : ""));
  }

  static bool isRoundedTo(double value, double other) {
    return value != other && static_cast<float>(value) == static_cast<float>(other);
  }

  /// `1 - 1e-8`, and a bound of 0.99999999.
  void checkRounding(const Node &node) {
    if (node.op == Op::Add || node.op == Op::Sub) {
      double x = forms.valueOf(node.operands[0]), y = forms.valueOf(node.operands[1]);
      y = node.op == Op::Sub ? -y : y;
      if (isRoundedTo(x + y, x) || isRoundedTo(x + y, y))
        warnOfRounding(node, x + y);
      return;
    }
    if (node.op != Op::clamp && node.op != Op::max && node.op != Op::min)
      return;
    for (size_t i = 0; i < node.operandCount; ++i) {
      double bound = forms.valueOf(node.operands[i]);
      if (isRoundedTo(bound, 1) || isRoundedTo(bound, -1))
        warnOfRounding(program.nodes[forms.strip(node.operands[i])], bound);
    }
  }

  //===--- Branches -------------------------------------------------------===//

  /// A branch of a function is never taken when no expansion of it takes the branch.
  void checkBranches() {
    struct Seen {
      const Node *node;
      bool isNever[2];
    };
    std::map<SourceRange, Seen> conditionals;
    for (const Node &node : program.nodes) {
      if (node.op != Op::Select)
        continue;
      const Range &test = rangeOf(node, 0);
      auto [entry, isNew] = conditionals.emplace(node.range, Seen{&node, {true, true}});
      entry->second.isNever[0] &= test.high == 0;
      entry->second.isNever[1] &= test.low == 1;
    }
    for (const auto &[range, seen] : conditionals)
      for (bool holds : {false, true})
        if (seen.isNever[holds])
          warn("unreachable-branch", *seen.node,
               std::string("a branch is never taken: the condition is always ") +
                   (holds ? "true" : "false"));
  }

  const Program &program;
  DiagnosticEngine &diagnostics;
  Forms forms;
  std::vector<Range> ranges;
  std::vector<bool> varies;
  std::set<std::pair<SourceRange, std::string>> reported;
};

} // namespace

void lint(const Program &program, DiagnosticEngine &diagnostics) {
  Linter(program, diagnostics).run();
}

} // namespace loss::lang
