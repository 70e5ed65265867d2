//===- Generator.cpp - random losses --------------------------------------===//

#include "test/random/Generator.h"

#include "lang/Builtins.h"
#include "test/random/Chance.h"
#include "test/random/Intervals.h"
#include "test/random/Patterns.h"

#include <cstdio>
#include <optional>
#include <vector>

namespace loss::stress {

namespace {

using lang::Builtin;
using lang::BuiltinKind;

/// A set of axes; bit i stands for Writer::axes[i].
using AxisSet = uint32_t;

struct Value {
  std::string text;
  AxisSet axes = 0;
  Interval range;
  bool used = false;
};

std::string decimal(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", number);
  return text;
}

class Writer : Chance {
public:
  Writer(uint64_t seed, const GeneratorOptions &options) : Chance(seed), options(options) {}

  std::string write() {
    chooseAxes();
    chooseArguments();
    chooseFunctions();
    unsigned steps = options.minSteps + below(options.maxSteps - options.minSteps + 1);
    for (unsigned i = 0; i < steps; ++i)
      step();
    std::string result = finish();
    return functions + "loss f(" + arguments + "\n) {\n" + copies + lets + "  return " + result +
           "\n}\n";
  }

private:
  //===--------------------------------------------------------------------===//
  // Axes, inputs, parameters
  //===--------------------------------------------------------------------===//

  void chooseAxes() {
    static const char *const names[] = {"batch", "class", "position", "channel"};
    size_t dice = below(100);
    size_t count = dice < 12 ? 1 : dice < 65 ? 2 : dice < 88 ? 3 : 4;
    axes.assign(names, names + count);
    originals = count;
    // Most losses compute each row from that row alone.
    byRow = count > 1 && chance(55);
    if (chance(25)) {
      size_t of = byRow ? 1 + below(count - 1) : below(count);
      axes.push_back("other");
      copyOf = of;
      copies = "  axis other = " + axes[of] + "\n";
    }
  }

  AxisSet allAxes() const { return (AxisSet(1) << originals) - 1; }
  std::string axesText(AxisSet set) const {
    std::string text;
    for (size_t i = 0; i < axes.size(); ++i)
      if (set >> i & 1)
        text += (text.empty() ? "" : ", ") + axes[i];
    return "[" + text + "]";
  }
  AxisSet randomAxes() {
    AxisSet set = random() & allAxes();
    return chance(50) ? allAxes() : set;
  }

  void argument(const std::string &text) {
    arguments += (arguments.empty() ? "\n  " : ",\n  ") + text;
  }

  void chooseArguments() {
    static const char *const names[] = {"x", "z", "w"};
    for (size_t i = 0, count = 1 + below(3); i < count; ++i) {
      AxisSet set = i == 0 ? allAxes() : randomAxes();
      argument(std::string(names[i]) + ": " + axesText(set));
      values.push_back({names[i], set, around(inputReach)});
    }
    if (originals > 1 && chance(50)) {
      // The class axis is the last one, or is named. Some targets lack an axis in between.
      AxisSet set = allAxes();
      if (originals > 2 && chance(25))
        set &= ~(AxisSet(1) << (originals - 1));
      size_t last = originals - 1;
      while (!(set >> last & 1))
        --last;
      bool named = originals > 2 && chance(40);
      argument("y: target " + (named ? "over class " : std::string()) + axesText(set));
      values.push_back({"y", set, {0, 1}});
    }
    if (chance(25)) {
      AxisSet set = randomAxes();
      argument("t: fixed " + axesText(set));
      values.push_back({"t", set, around(inputReach)});
    }
    for (size_t i = 0, count = below(3); i < count; ++i) {
      std::string name = i ? "beta" : "alpha";
      static const char *const constraints[] = {"", ": positive", ": nonnegative"};
      argument("param " + name + oneOf(constraints) + " = " + decimal(between(0.3, 2.5)));
      values.push_back({name, 0, {0.2, 3}});
    }
    if (chance(15)) {
      argument(std::string("option flag = ") + (chance(50) ? "true" : "false"));
      hasFlag = true;
    }
  }

  /// Functions of the file: some with a derivative of their own (which is the right one).
  void chooseFunctions() {
    struct Helper {
      const char *text;
      Interval x, y, result;
      bool binary;
    };
    static const Helper helpers[] = {
        {"(a, b) = a * tanh(b)", around(100), around(100), around(100), true},
        {"(a, b) = if a > b then a - b else (b - a) * 0.5", around(50), around(50), {0, 100}, true},
        {"(a) = log(1 + exp(a))", around(50), {}, {0, 51}, false},
        {"(a, b) {\n  let s = a * a + b * b\n  return s / (1 + s)\n}",
         around(50),
         around(50),
         {0, 1},
         true},
        {"(a, b) = a * b\n  derivative a = b\n  derivative b = a", around(50), around(50),
         around(2500), true},
        {"(a) = sin(a)^2\n  derivative a = 2 * sin(a) * cos(a)", around(50), {}, {0, 1}, false},
    };
    for (size_t i = 0, count = chance(45) ? 1 + below(2) : 0; i < count; ++i) {
      const Helper &helper = oneOf(helpers);
      std::string name = "h" + std::to_string(i);
      functions += "fn " + name + helper.text + "\n";
      calls.push_back({name, helper.x, helper.y, helper.result, helper.binary});
    }
  }

  //===--------------------------------------------------------------------===//
  // Operands
  //===--------------------------------------------------------------------===//

  Value constant() {
    static const char *const texts[] = {"0", "1", "2", "0.5", "3", "1.5", "0.1", "10"};
    if (chance(8))
      return {"pi", 0, {3, 3.2}};
    std::string text = chance(70) ? std::string(oneOf(texts)) : decimal(between(0.01, 5));
    double number = std::stod(text);
    if (number != 0 && chance(25))
      return {"(-" + text + ")", 0, {-number, -number}};
    return {text, 0, {number, number}};
  }

  /// A named value: one nobody used yet, a recent one, or any.
  Value pick() {
    size_t at = below(values.size());
    if (chance(40)) {
      for (size_t i = values.size(); i-- > 0;)
        if (!values[i].used) {
          at = i;
          break;
        }
    } else if (chance(40)) {
      at = values.size() - 1 - below(std::min<size_t>(values.size(), 3));
    }
    values[at].used = true;
    return values[at];
  }
  Value operand() {
    if (chance(12))
      return constant();
    Value value = pick();
    // The same values along the copy of an axis.
    if (copyOf && chance(25)) {
      AxisSet from = AxisSet(1) << *copyOf, to = AxisSet(1) << originals;
      if ((value.axes & from) && !(value.axes & to))
        return {value.text + "[" + axes[*copyOf] + " -> other]", (value.axes & ~from) | to,
                value.range};
      if ((value.axes & to) && !(value.axes & from))
        return {value.text + "[other -> " + axes[*copyOf] + "]", (value.axes & ~to) | from,
                value.range};
    }
    return value;
  }
  /// An operand with an axis to work over.
  Value array() {
    for (int i = 0; i < 20; ++i)
      if (Value value = operand(); value.axes & workable())
        return value;
    values.front().used = true;
    return values.front();
  }

  /// The value, or a function of it, within the interval.
  Value into(const Interval &wanted, Value value) {
    // Now and then a domain is left to chance.
    if (value.range.within(wanted) || chance(2))
      return value;
    if (wanted.within(around(INFINITY)) && wanted.lo <= -1 && wanted.hi >= 1) {
      double reach = std::min({-wanted.lo, wanted.hi, 20.0});
      if (std::isinf(wanted.lo) || std::isinf(wanted.hi))
        reach = 4;
      return {decimal(reach) + " * " + (chance(50) ? "tanh(" : "sin(") + value.text + ")",
              value.axes, around(reach)};
    }
    if (std::isinf(wanted.hi)) {
      double start = std::max(wanted.lo, 0.0) + 0.05;
      if (value.range.reach() > 1e3)
        return {"(sigmoid(" + value.text + ") + " + decimal(start) + ")",
                value.axes,
                {start, start + 1}};
      switch (below(4)) {
      case 0:
        return {"(abs(" + value.text + ") + " + decimal(start) + ")",
                value.axes,
                {start, start + value.range.reach()}};
      case 1:
        return {"(" + value.text + "^2 + " + decimal(start) + ")",
                value.axes,
                {start, start + value.range.reach() * value.range.reach()}};
      case 2:
        return {"(softplus(" + value.text + ") + " + decimal(start) + ")",
                value.axes,
                {start, start + 1 + value.range.reach()}};
      default:
        return {"(sigmoid(" + value.text + ") + " + decimal(start) + ")",
                value.axes,
                {start, start + 1}};
      }
    }
    // A bounded interval: its middle, and a bit less than to its ends.
    double middle = (wanted.lo + wanted.hi) / 2, half = 0.95 * (wanted.hi - wanted.lo) / 2;
    return {"(" + decimal(middle) + " + " + decimal(half) + " * tanh(" + value.text + "))",
            value.axes,
            {middle - half, middle + half}};
  }

  void define(std::string text, AxisSet set, Interval range) {
    std::string name = "v" + std::to_string(next++);
    lets += "  let " + name + " = " + text + "\n";
    values.push_back({name, set, range});
  }

  //===--------------------------------------------------------------------===//
  // One definition
  //===--------------------------------------------------------------------===//

  const Builtin &builtin(BuiltinKind kind) {
    std::vector<const Builtin *> fitting;
    for (const Builtin &row : lang::builtins())
      if (row.kind == kind)
        fitting.push_back(&row);
    return *fitting[below(fitting.size())];
  }

  void step() {
    size_t dice = below(100);
    if (dice < 25)
      unary();
    else if (dice < 45)
      arithmetic();
    else if (dice < 53)
      binary();
    else if (dice < 56)
      ternary();
    else if (dice < 66)
      reduction();
    else if (dice < 77)
      axiswise();
    else if (dice < 83)
      conditional();
    else if (dice < 93)
      pattern();
    else if (dice < 97 && !calls.empty())
      call();
    else
      query();
  }

  void unary() {
    const Builtin &row = builtin(BuiltinKind::Unary);
    FunctionRange known = functionRange(row.name);
    Value x = into(known.operand, operand());
    Interval range = known.result;
    // What grows with its operand grows no further.
    if (range.reach() >= 1e4) {
      double reach = x.range.reach() + 1;
      range = {std::max(range.lo, -reach), std::min(range.hi, reach)};
    }
    define(std::string(row.name) + "(" + x.text + ")", x.axes, range);
  }

  void arithmetic() {
    Value x = operand(), y = operand();
    AxisSet set = x.axes | y.axes;
    switch (below(4)) {
    case 0:
      return define(x.text + " + " + y.text, set, x.range + y.range);
    case 1:
      return define(x.text + " - " + y.text, set, x.range - y.range);
    case 2:
      if (x.range.reach() * y.range.reach() > 1e4)
        x = into(around(10), x);
      return define("(" + x.text + ") * (" + y.text + ")", set, x.range * y.range);
    default:
      y = into({0.05, INFINITY}, y);
      return define("(" + x.text + ") / (" + y.text + ")", set,
                    x.range * Interval{0, 1 / std::max(y.range.lo, 0.05)});
    }
  }

  void binary() {
    const Builtin &row = builtin(BuiltinKind::Binary);
    Value x = operand(), y = operand();
    if (row.name == "pow") {
      static const char *const exponents[] = {"2", "3", "0", "1", "0.5", "-1", "-2", "4", "1.7"};
      bool whole = chance(50);
      std::string exponent = whole ? oneOf(exponents) : "";
      if (whole && (exponent == "2" || exponent == "3" || exponent == "0" || exponent == "1" ||
                    exponent == "4")) {
        x = into(around(9), x);
        return define("(" + x.text + ")^" + exponent, x.axes, around(std::pow(9, 4)));
      }
      x = into({0.05, 10}, x);
      if (whole)
        return define("(" + x.text + ")^" + exponent, x.axes, {0, 400});
      y = into(around(3), y);
      return define("pow(" + x.text + ", " + y.text + ")", x.axes | y.axes, {0, 8000});
    }
    Interval result = join(x.range, y.range);
    if (row.name == "atan2")
      result = around(3.2);
    else if (row.name == "hypot")
      result = {0, x.range.reach() + y.range.reach()};
    else if (row.name == "xlogy") {
      y = into({1e-3, INFINITY}, y);
      result = around(x.range.reach() * 12);
    } else if (row.name != "max" && row.name != "min") {
      // One without a rule.
      x = into({0.1, 0.9}, x), y = into({0.1, 0.9}, y), result = around(10);
    }
    define(std::string(row.name) + "(" + x.text + ", " + y.text + ")", x.axes | y.axes, result);
  }

  void ternary() {
    const Builtin &row = builtin(BuiltinKind::Ternary);
    Value x = operand(), lo = constant(), hi = constant();
    if (row.name == "clamp" && lo.range.lo > hi.range.lo)
      std::swap(lo, hi);
    define(std::string(row.name) + "(" + x.text + ", " + lo.text + ", " + hi.text + ")", x.axes,
           join(lo.range, hi.range));
  }

  /// Axes that operations may work over.
  AxisSet workable() const { return byRow ? ~AxisSet(1) : ~AxisSet(0); }
  /// One axis of a value that has such an axis.
  AxisSet axisOf(const Value &value) {
    while (true)
      if (AxisSet bit = AxisSet(1) << below(axes.size()); value.axes & workable() & bit)
        return bit;
  }
  std::string nameOf(AxisSet bit) const { return axes[__builtin_ctz(bit)]; }

  Value reduced(Value x, AxisSet over) {
    const Builtin &row = builtin(BuiltinKind::Reduction);
    std::string name(row.name), text;
    // A position is along one axis.
    if (over & (over - 1) && name.starts_with("arg"))
      name = "max";
    // How many elements an axis may have, roughly.
    constexpr double longest = 40;
    Interval range = x.range;
    if (name == "sum")
      range = x.range * Interval{0, longest};
    else if (name == "logsumexp")
      range = {x.range.lo, x.range.hi + 4};
    else if (name == "norm")
      range = {0, x.range.reach() * 7};
    else if (name == "argmax" || name == "argmin")
      range = {0, longest};
    for (size_t i = 0; i < axes.size(); ++i)
      if (over >> i & 1)
        text += (text.empty() ? "" : ", ") + axes[i];
    return {name + "(" + x.text + " over " + text + ")", x.axes & ~over, range};
  }

  void reduction() {
    Value x = array();
    AxisSet over = axisOf(x);
    if (chance(30))
      over |= axisOf(x);
    Value result = reduced(x, over);
    define(result.text, result.axes, result.range);
  }

  void axiswise() {
    const Builtin &row = builtin(BuiltinKind::Axiswise);
    Value x = array();
    AxisSet over = axisOf(x);
    std::string suffix;
    Interval range = x.range;
    AxisSet set = x.axes;
    if (row.name == "softmax")
      range = {0, 1};
    else if (row.name == "log_softmax")
      range = {-2 * x.range.reach() - 4, 0};
    else if (row.name == "rank")
      range = {1, 40};
    else if (row.name == "cumsum" || row.name == "logcumsumexp") {
      range =
          row.name == "cumsum" ? x.range * Interval{0, 40} : Interval{x.range.lo, x.range.hi + 4};
      if (Value key = array(); chance(50) && (key.axes & over)) {
        suffix = " by " + key.text;
        set |= key.axes;
      }
    }
    define(std::string(row.name) + "(" + x.text + " over " + nameOf(over) + suffix + ")", set,
           range);
  }

  std::string comparison(AxisSet &set) {
    static const char *const operators[] = {" < ", " <= ", " > ", " >= ", " == ", " != "};
    Value x = array(), y = operand();
    set |= x.axes | y.axes;
    std::string text = x.text + oneOf(operators) + y.text;
    return chance(15) ? "not (" + text + ")" : "(" + text + ")";
  }

  void conditional() {
    Value x = operand(), y = operand();
    AxisSet set = x.axes | y.axes;
    std::string condition;
    static const char *const known[] = {"1 <= pi", "2 > 3", "not (1 == 1)", "true"};
    if (hasFlag && chance(60)) {
      condition = "flag";
    } else if (chance(8)) {
      condition = oneOf(known);
    } else {
      condition = comparison(set);
      if (chance(25))
        condition += (chance(50) ? " and " : " or ") + comparison(set);
    }
    define("if " + condition + " then " + x.text + " else " + y.text, set, join(x.range, y.range));
  }

  /// Formulas that the compiler rewrites.
  void pattern() {
    const Pattern &pattern = oneOf(patterns);
    std::string text = pattern.text;
    Value x = into(pattern.x, array()), y = x;
    AxisSet over = axisOf(x);
    if (text.find('$') != std::string::npos) {
      y = into(pattern.y, operand());
      // A second operand that works over the axis must have it.
      if (text.find("($ over") != std::string::npos && !(y.axes & over))
        y = into(pattern.y, x);
    }
    std::string result;
    for (char c : text)
      result += c == '#'   ? "(" + x.text + ")"
                : c == '$' ? "(" + y.text + ")"
                : c == '@' ? nameOf(over)
                           : std::string(1, c);
    AxisSet set = x.axes | (text.find('$') != std::string::npos ? y.axes : 0);
    for (const char *reducing : {"sum(#", "-sum(", "mean("})
      if (text.rfind(reducing, 0) == 0)
        set &= ~over;
    if (text.rfind("log(sum", 0) == 0 || text.rfind("log(1 - sum", 0) == 0)
      set &= ~over;
    define(result, set, pattern.result);
  }

  void call() {
    const Call &chosen = calls[below(calls.size())];
    Value x = into(chosen.x, operand());
    if (!chosen.binary)
      return define(chosen.name + "(" + x.text + ")", x.axes, chosen.result);
    Value y = into(chosen.y, operand());
    define(chosen.name + "(" + x.text + ", " + y.text + ")", x.axes | y.axes, chosen.result);
  }

  void query() {
    const Builtin &row = builtin(BuiltinKind::Query);
    size_t axis = byRow ? 1 + below(originals - 1) : below(originals);
    bool isIndex = row.op == lang::Op::Index;
    define(std::string(row.name) + "(" + axes[axis] + ")" +
               (isIndex ? " / size(" + axes[axis] + ")" : ""),
           isIndex ? AxisSet(1) << axis : 0, {0, isIndex ? 1.0 : 40.0});
  }

  //===--------------------------------------------------------------------===//
  // The result
  //===--------------------------------------------------------------------===//

  /// All that nobody used, reduced to the axes of the result, and added up.
  std::string finish() {
    size_t dice = below(100);
    AxisSet wanted = dice < 60 ? 1 : dice < 75 ? 0 : dice < 85 ? allAxes() : random() & allAxes();
    if (byRow)
      wanted = dice < 80 ? 1 : wanted | 1;
    if (wanted & 1 && originals > 0)
      values.front().used = false;
    std::string sum;
    for (size_t i = 0; i < values.size(); ++i) {
      bool isLast = i + 1 == values.size();
      if (values[i].used && !isLast)
        continue;
      Value value = values[i];
      if (value.range.reach() > 200)
        value = {decimal(10) + " * tanh(" + value.text + " / 1000)", value.axes, around(10)};
      while (AxisSet excess = value.axes & ~wanted) {
        AxisSet over = excess;
        if (chance(60)) // One axis after another.
          over = excess & -excess;
        value = reduced(value, over);
      }
      if (!sum.empty())
        sum += chance(70) ? " + " : " - ";
      sum += chance(40) ? decimal(between(0.1, 2)) + " * " + value.text : value.text;
    }
    return sum;
  }

  struct Call {
    std::string name;
    Interval x, y, result;
    bool binary;
  };

  GeneratorOptions options;
  std::vector<std::string> axes;
  size_t originals = 0;
  std::optional<size_t> copyOf;
  std::vector<Value> values;
  std::vector<Call> calls;
  std::string functions, arguments, copies, lets;
  bool hasFlag = false, byRow = false;
  unsigned next = 0;
};

} // namespace

std::string randomProgram(uint64_t seed, const GeneratorOptions &options) {
  return Writer(seed, options).write();
}

} // namespace loss::stress
