//===- RootHints.h - what to write for a root ------------------*- C++ -*-===//
#ifndef LOSSLANG_LANG_ROOTHINTS_H
#define LOSSLANG_LANG_ROOTHINTS_H

#include "lang/Forms.h"
#include "lang/Program.h"

#include <set>
#include <string>
#include <vector>

namespace loss::lang {

/// A function whose slope is infinite at some operands.
struct Root {
  /// "sqrt"
  std::string name;
  NodeId operand;
  /// Where: at 0 of the operand, at an end of the domain.
  enum { AtZero, AtEnds, AtOne } place = AtZero;
  double exponent = 0.5;
};

/// Hints for roots whose gradient is infinite or NaN.
class RootHints {
public:
  /// `varies`: by node, whether it depends on an input; `users`: by node, the nodes that use it.
  RootHints(const Program &program, const std::vector<bool> &varies,
            const std::vector<std::vector<NodeId>> &users, const Forms &forms)
      : program(program), varies(varies), users(users), forms(forms) {}

  /// What to write in place of the root `id`.
  std::string hintFor(NodeId id, const Root &kind) const;

private:
  /// A sum or a mean, over one axis or several.
  struct Sum {
    const Node *elements;
    bool isMean = false;
    std::set<uint8_t> axes;
  };

  const Node &at(NodeId id) const { return program.nodes[id]; }
  const Node &operand(const Node &node, size_t i) const { return at(node.operands[i]); }
  bool isSquare(const Node &node) const;
  Sum sumAt(const Node *node) const;
  std::string normOf(const Node *node, const std::string &x) const;
  std::string rootText(const Node &factor) const;
  std::string someAxis(const Node &node) const;
  std::string stableRoot(const Node &u) const;
  bool isDivisor(NodeId divisor) const;

  const Program &program;
  const std::vector<bool> &varies;
  const std::vector<std::vector<NodeId>> &users;
  const Forms &forms;
};

} // namespace loss::lang

#endif // LOSSLANG_LANG_ROOTHINTS_H
