//===- GraphGenome.h - a loss as a small graph ------------------*- C++ -*-===//
#ifndef LOSSLANG_SEARCH_SPACES_GRAPHGENOME_H
#define LOSSLANG_SEARCH_SPACES_GRAPHGENOME_H

#include "search/spaces/Space.h"

#include <array>
#include <optional>

namespace loss::search {

/// What a graph's node reads: a leaf (0 to 3) or a hidden node (4 to 7).
enum GraphSource : int { SourceY, SourceYhat, SourceOne, SourceMinusOne, FirstHidden };

inline constexpr int hiddenCount = 4;
inline constexpr int leafCount = 4;
inline constexpr int sourceCount = leafCount + hiddenCount;
/// The root stands behind the hidden nodes.
inline constexpr int rootNode = hiddenCount;
inline constexpr int nodeCount = hiddenCount + 1;

struct GraphNode {
  /// 1 or 2.
  int arity = 1;
  /// Of GraphOps.def.
  int op = 0;
  /// The second one is 0 in a unary node.
  std::array<int, 2> operands = {};

  bool operator==(const GraphNode &) const = default;
};

/// Four hidden nodes and a root; only what the root reaches matters.
class GraphGenome : public GenomeBase {
public:
  std::array<GraphNode, nodeCount> nodes;

  bool operator==(const GraphGenome &other) const { return nodes == other.nodes; }
};

/// Why a graph is no loss.
enum class GraphDefect { None, Cyclic, MissesInput };

/// What the root reaches, operands before users (the root last), or the defect.
struct GraphOrder {
  GraphDefect defect = GraphDefect::None;
  std::array<int, nodeCount> nodes = {};
  int count = 0;
};
GraphOrder orderGraph(const GraphGenome &genome);

/// "r=2:2(n0,y) n0=1:1(p) ..." with every node, active or not.
std::string serialiseGraph(const GraphGenome &genome);
/// Throws SearchError; what it returns is valid.
GraphGenome parseGraph(std::string_view text);

/// The active part as nested calls, the operands of commutative operations in a fixed order.
std::string graphKey(const GraphGenome &genome);

/// The GraphGenome behind a genome of the graph space.
const GraphGenome &asGraph(const Genome &genome);

} // namespace loss::search

#endif // LOSSLANG_SEARCH_SPACES_GRAPHGENOME_H
