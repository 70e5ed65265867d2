//===- Functions.h - the 34 functions of the graph space --------*- C++ -*-===//
//
// The table of the search, search/spaces/GraphOps.def, as losses to compile: each function of the
// scores themselves, and of their softmax and the target.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_TEST_UNIT_INTEGRATION_FUNCTIONS_H
#define LOSSLANG_TEST_UNIT_INTEGRATION_FUNCTIONS_H

#include <ostream>
#include <string>
#include <vector>

namespace loss::test {

struct Function {
  std::string name, formula;
  bool binary;

  /// `x` are scores; a binary function takes a second input `z` of the same shape.
  std::string direct() const {
    return "fn f(" + arguments() + ") = " + formula + "\nloss direct(x: [batch, class]" +
           (binary ? ", z: [batch, class]" : "") + ") {\n  return sum(" + call("x", "z") +
           " over class)\n}\n";
  }
  /// Of softmax probabilities; the target weighs a unary function, and is the second operand of a
  /// binary one.
  std::string composed() const {
    return "fn f(" + arguments() + ") = " + formula +
           "\nloss composed(x: [batch, class], y: target [batch, class]) {\n"
           "  let p = softmax(x over class)\n  return sum(" +
           (binary ? call("p", "y") : "(y + 0.5) * " + call("p", "")) + " over class)\n}\n";
  }

private:
  std::string arguments() const { return binary ? "a, b" : "x"; }
  std::string call(const char *a, const char *b) const {
    return std::string("f(") + a + (binary ? std::string(", ") + b : "") + ")";
  }
};

inline std::ostream &operator<<(std::ostream &out, const Function &f) { return out << f.name; }

inline std::vector<Function> allFunctions() {
  return {
#define LOSS_GRAPH_UNARY(id, noun, formula, value, dx) {noun, formula, false},
#define LOSS_GRAPH_BINARY(id, noun, formula, value, da, db) {noun, formula, true},
#include "search/spaces/GraphOps.def"
  };
}

} // namespace loss::test

#endif // LOSSLANG_TEST_UNIT_INTEGRATION_FUNCTIONS_H
