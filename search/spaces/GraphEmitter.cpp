//===- GraphEmitter.cpp - graphs as programs ------------------------------===//

#include "search/spaces/GraphOps.h"
#include "search/spaces/GraphSpace.h"

#include <vector>

using namespace loss::search;

namespace {
/// Formulas of the active nodes: nested, or each in terms of the `let`s before it.
class GraphFormulas {
public:
  struct Let {
    std::string name;
    FormulaPtr formula;
  };

  explicit GraphFormulas(const GraphGenome &genome, bool nested) {
    of[SourceY] = makeName("y", true);
    of[SourceYhat] = makeName("yhat", true);
    of[SourceOne] = makeNumber("1");
    of[SourceMinusOne] = makeNumber("-1");
    GraphOrder order = orderGraph(genome);
    for (int i = 0; i < order.count; ++i) {
      const GraphNode &node = genome.nodes[order.nodes[i]];
      FormulaPtr &result = of[FirstHidden + order.nodes[i]];
      result = apply(node);
      // A node that simplified to a name or number needs no `let`; the root stands in the return.
      if (!nested && !result->operands.empty() && order.nodes[i] != rootNode) {
        lets.push_back({freshName(graphOp(node.arity, node.op).noun), result});
        result = makeName(lets.back().name, result->nonNegative);
      }
    }
  }

  const FormulaPtr &root() const { return of[FirstHidden + rootNode]; }

  std::vector<Let> lets;

private:
  FormulaPtr apply(const GraphNode &node) const {
    const GraphOp &op = graphOp(node.arity, node.op);
    std::map<std::string, FormulaPtr> values;
    values[node.arity == 1 ? "x" : "a"] = of[node.operands[0]];
    if (node.arity == 2)
      values["b"] = of[node.operands[1]];
    return simplify(substitute(op.formula, values));
  }

  std::string freshName(const std::string &noun) const {
    auto taken = [&](const std::string &name) {
      for (const Let &let : lets)
        if (let.name == name)
          return true;
      return false;
    };
    std::string name = noun;
    for (int i = 2; taken(name); ++i)
      name = noun + std::to_string(i);
    return name;
  }

  std::array<FormulaPtr, sourceCount + 1> of;
};
} // namespace

namespace {
/// The sum over the classes with the sign before it, where a sign is left.
std::string printSum(const FormulaPtr &root, Sign sign) {
  FormulaPtr summand = sign == Sign::Negate ? negate(root) : root;
  FormulaPtr positive = withoutMinus(summand);
  return positive ? "-sum(" + print(positive) + " over class)"
                  : "sum(" + print(summand) + " over class)";
}
} // namespace

std::string GraphSpace::formula(const Genome &genome, Sign sign) const {
  return printSum(GraphFormulas(asGraph(genome), /*nested=*/true).root(), sign);
}

std::string GraphSpace::emit(const Genome &genome, const EmitOptions &options) const {
  GraphFormulas formulas(asGraph(genome), /*nested=*/false);
  std::string out;
  if (!options.provenance.empty()) {
    out += "/// An evolved loss of the graph space.\n///\n/// Formula: ";
    out += formula(genome, options.sign) + ", yhat = softmax(logits)\n";
    out += "/// Source: " + options.provenance + "\n";
  }
  out += "loss " + options.name + "(\n";
  out += "  /// Unnormalised scores.\n  logits: [batch, class],\n";
  out += "  /// Class indices, or a distribution over the classes.\n  y: target [batch, class]\n";
  out += ") {\n  let yhat = softmax(logits over class)\n";
  for (const GraphFormulas::Let &let : formulas.lets)
    out += "  let " + let.name + " = " + print(let.formula) + "\n";
  return out + "  return " + printSum(formulas.root(), options.sign) + "\n}\n";
}
