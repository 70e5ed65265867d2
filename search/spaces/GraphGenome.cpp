//===- GraphGenome.cpp - a loss as a small graph --------------------------===//

#include "search/spaces/GraphGenome.h"

#include "search/spaces/GraphOps.h"

#include <cassert>
#include <charconv>

using namespace loss::search;

namespace {
constexpr const char *leafNames[] = {"y", "p", "1", "-1"};

class Orderer {
public:
  explicit Orderer(const GraphGenome &genome) : genome(genome) {}

  GraphOrder run() {
    if (!visit(rootNode))
      order.defect = GraphDefect::Cyclic;
    else if (!leaves[SourceY] || !leaves[SourceYhat])
      order.defect = GraphDefect::MissesInput;
    return order;
  }

private:
  bool visit(int node) {
    if (state[node] == Done)
      return true;
    if (state[node] == Open)
      return false;
    state[node] = Open;
    for (int i = 0; i < genome.nodes[node].arity; ++i) {
      int source = genome.nodes[node].operands[i];
      if (source < FirstHidden)
        leaves[source] = true;
      else if (!visit(source - FirstHidden))
        return false;
    }
    state[node] = Done;
    order.nodes[order.count++] = node;
    return true;
  }

  enum State { Unseen, Open, Done };
  const GraphGenome &genome;
  GraphOrder order;
  std::array<State, nodeCount> state = {};
  std::array<bool, leafCount> leaves = {};
};

std::string sourceName(int source) {
  return source < FirstHidden ? leafNames[source] : "n" + std::to_string(source - FirstHidden);
}

std::string keyOf(const GraphGenome &genome, int source) {
  if (source < FirstHidden)
    return leafNames[source];
  const GraphNode &node = genome.nodes[source - FirstHidden];
  std::string key = (node.arity == 1 ? "u" : "b") + std::to_string(node.op) + "(";
  std::string a = keyOf(genome, node.operands[0]);
  if (node.arity == 1)
    return key + a + ")";
  std::string b = keyOf(genome, node.operands[1]);
  if (graphOp(2, node.op).commutative && b < a)
    std::swap(a, b);
  return key + a + "," + b + ")";
}

/// Reads the form that serialiseGraph writes, and nothing else.
class GraphReader {
public:
  explicit GraphReader(std::string_view text) : text(text) {}

  GraphGenome run() {
    GraphGenome genome;
    for (int node = 0; node < nodeCount; ++node) {
      if (node)
        expect(" ");
      expect(node == rootNode ? "r=" : sourceName(node + FirstHidden) + "=");
      GraphNode &n = genome.nodes[node];
      n.arity = number(1, 2, "an arity");
      expect(":");
      n.op = number(0, graphOpCount(n.arity) - 1, "an operation");
      expect("(");
      n.operands[0] = source();
      if (n.arity == 2) {
        expect(",");
        n.operands[1] = source();
      }
      expect(")");
    }
    if (at != text.size())
      fail("the end");
    return genome;
  }

  [[noreturn]] void fail(const std::string &expected) const {
    throw SearchError("genome '" + std::string(text) + "': expected " + expected + " at column " +
                      std::to_string(at + 1));
  }

private:
  void expect(std::string_view what) {
    if (text.substr(at, what.size()) != what)
      fail("'" + std::string(what) + "'");
    at += what.size();
  }
  int number(int least, int most, const char *what) {
    int value = -1;
    auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), value);
    if (error != std::errc() || value < least || value > most)
      fail(std::string(what) + " from " + std::to_string(least) + " to " + std::to_string(most));
    at = end - text.data();
    return value;
  }
  int source() {
    // The longest name first: "1" begins no other, "-1" none either.
    for (int s = sourceCount - 1; s >= 0; --s) {
      std::string name = sourceName(s);
      if (text.substr(at, name.size()) == name) {
        at += name.size();
        return s;
      }
    }
    fail("an operand (y, p, 1, -1, n0 to n3)");
  }

  std::string_view text;
  size_t at = 0;
};
} // namespace

GraphOrder loss::search::orderGraph(const GraphGenome &genome) { return Orderer(genome).run(); }

std::string loss::search::serialiseGraph(const GraphGenome &genome) {
  std::string out;
  for (int i = 0; i < nodeCount; ++i) {
    const GraphNode &node = genome.nodes[i];
    if (i)
      out += ' ';
    out += i == rootNode ? "r" : sourceName(i + FirstHidden);
    out += '=' + std::to_string(node.arity) + ':' + std::to_string(node.op) + '(' +
           sourceName(node.operands[0]);
    if (node.arity == 2)
      out += ',' + sourceName(node.operands[1]);
    out += ')';
  }
  return out;
}

GraphGenome loss::search::parseGraph(std::string_view text) {
  GraphGenome genome = GraphReader(text).run();
  switch (orderGraph(genome).defect) {
  case GraphDefect::None:
    return genome;
  case GraphDefect::Cyclic:
    throw SearchError("genome '" + std::string(text) + "': the root's graph has a cycle");
  case GraphDefect::MissesInput:
    throw SearchError("genome '" + std::string(text) + "': the root does not reach both y and p");
  }
  return genome;
}

std::string loss::search::graphKey(const GraphGenome &genome) {
  return keyOf(genome, FirstHidden + rootNode);
}

const GraphGenome &loss::search::asGraph(const Genome &genome) {
  assert(dynamic_cast<const GraphGenome *>(genome.get()) && "a genome of another space");
  return static_cast<const GraphGenome &>(*genome);
}
