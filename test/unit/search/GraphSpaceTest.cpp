// Graph genomes: sampling, mutation, text forms, emission.

#include "search/spaces/GraphSpace.h"
#include "search/operators/GraphMutation.h"
#include "search/spaces/GraphOps.h"
#include "search/spaces/GraphSampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

using namespace loss::search;

namespace {
constexpr int draws = 100000;

/// Well-formed: arities, operations and operands in range, nothing reads itself, operands differ.
::testing::AssertionResult wellFormed(const GraphGenome &genome) {
  for (int i = 0; i < nodeCount; ++i) {
    const GraphNode &node = genome.nodes[i];
    bool good =
        (node.arity == 1 || node.arity == 2) && node.op >= 0 && node.op < graphOpCount(node.arity);
    for (int k = 0; k < node.arity; ++k)
      good &= node.operands[k] >= 0 && node.operands[k] < sourceCount &&
              node.operands[k] != FirstHidden + i;
    good &= node.arity == 1 ? node.operands[1] == 0 : node.operands[0] != node.operands[1];
    if (!good)
      return ::testing::AssertionFailure() << "node " << i << " of " << serialiseGraph(genome);
  }
  return ::testing::AssertionSuccess();
}

/// Frequencies of features that together pin down the distribution.
std::map<std::string, int> features(const GraphGenome &genome) {
  std::map<std::string, int> found;
  GraphOrder order = orderGraph(genome);
  found["active " + std::to_string(order.count)]++;
  for (int i = 0; i < nodeCount; ++i) {
    const GraphNode &node = genome.nodes[i];
    std::string at = i == rootNode ? "root " : "hidden ";
    found[at + "arity " + std::to_string(node.arity)]++;
    found[at + std::to_string(node.arity) + " op " + std::to_string(node.op)]++;
    for (int k = 0; k < node.arity; ++k)
      found[at + std::to_string(node.arity) + " operand " + std::to_string(k) + " = " +
            std::to_string(node.operands[k])]++;
  }
  return found;
}
} // namespace

TEST(GraphSampler, rawDrawsHaveThePublishedShares) {
  Rng rng(1);
  int cyclic = 0, missing = 0;
  for (int i = 0; i < draws; ++i) {
    GraphGenome genome = drawRawGraph(rng);
    ASSERT_TRUE(wellFormed(genome));
    for (int k = 0; k < genome.nodes[rootNode].arity; ++k)
      ASSERT_GE(genome.nodes[rootNode].operands[k], FirstHidden);
    GraphDefect defect = orderGraph(genome).defect;
    cyclic += defect == GraphDefect::Cyclic;
    missing += defect == GraphDefect::MissesInput;
  }
  const GraphConstructor &exact = GraphConstructor::instance();
  // The table's exact shares, within five standard deviations.
  auto within = [](double share) { return 5 * std::sqrt(share * (1 - share) / draws); };
  EXPECT_NEAR(cyclic / double(draws), exact.cyclicShare(), within(exact.cyclicShare()));
  EXPECT_NEAR(missing / double(draws), exact.missingShare(), within(exact.missingShare()));
  EXPECT_NEAR(exact.cyclicShare() + exact.missingShare() + exact.validShare(), 1, 1e-12);
  // As reported for the published search.
  EXPECT_NEAR(exact.cyclicShare(), 0.21, 0.01);
  EXPECT_NEAR(exact.missingShare(), 0.665, 0.01);
}

TEST(GraphSampler, constructionHasTheDistributionOfRejection) {
  Rng rejecting(2), constructing(3);
  std::map<std::string, int> expected, seen;
  std::set<std::string> kinds;
  for (int i = 0; i < draws; ++i) {
    GraphGenome a = drawGraphByRejection(rejecting);
    GraphGenome b = GraphConstructor::instance().draw(constructing);
    ASSERT_TRUE(wellFormed(b));
    ASSERT_EQ(orderGraph(b).defect, GraphDefect::None);
    for (auto &[feature, count] : features(a)) {
      expected[feature] += count;
      kinds.insert(feature);
    }
    for (auto &[feature, count] : features(b)) {
      seen[feature] += count;
      kinds.insert(feature);
    }
  }
  EXPECT_GT(kinds.size(), 100u);
  for (const std::string &feature : kinds) {
    double a = expected[feature], b = seen[feature];
    // Counts of up to five nodes a genome; five standard deviations of their difference.
    EXPECT_LE(std::fabs(a - b), 5 * std::sqrt(2 * (a + b)) + 10) << feature;
  }
}

TEST(GraphSampler, constructionCoversWholeStructures) {
  // The 50 most frequent whole structures (operations aside) are equally frequent both ways.
  auto structure = [](GraphGenome genome) {
    for (GraphNode &node : genome.nodes)
      node.op = 0;
    return graphKey(genome);
  };
  Rng rejecting(4), constructing(5);
  std::map<std::string, int> expected, seen;
  for (int i = 0; i < draws; ++i) {
    expected[structure(drawGraphByRejection(rejecting))]++;
    seen[structure(GraphConstructor::instance().draw(constructing))]++;
  }
  int compared = 0;
  for (auto &[key, count] : expected)
    if (count > 300) {
      ++compared;
      EXPECT_LE(std::abs(count - seen[key]), 5.5 * std::sqrt(count + seen[key])) << key;
    }
  EXPECT_GT(compared, 20);
}

TEST(GraphMutation, everyChildIsValidAndDiffers) {
  Rng rng(6);
  GraphMutation mutate;
  GraphGenome genome = GraphConstructor::instance().draw(rng);
  for (int i = 0; i < draws; ++i) {
    GraphGenome child = mutate(rng, genome);
    ASSERT_TRUE(wellFormed(child));
    ASSERT_EQ(orderGraph(child).defect, GraphDefect::None) << serialiseGraph(child);
    ASSERT_NE(graphKey(child), graphKey(genome));
    // A walk through the space, begun anew now and then.
    genome = i % 100 ? child : GraphConstructor::instance().draw(rng);
  }
}

TEST(GraphMutation, changesOneActiveNodeAtThePublishedRates) {
  Rng rng(7);
  GraphMutation mutate;
  int operation = 0, connection = 0, arity = 0, swaps = 0, binaryConnections = 0;
  for (int i = 0; i < draws; ++i) {
    GraphGenome parent = GraphConstructor::instance().draw(rng);
    GraphGenome child = mutate.once(rng, parent);
    GraphOrder order = orderGraph(parent);
    int changed = -1;
    for (int n = 0; n < nodeCount; ++n)
      if (!(parent.nodes[n] == child.nodes[n])) {
        EXPECT_EQ(changed, -1) << "two nodes changed";
        changed = n;
      }
    ASSERT_NE(changed, -1);
    ASSERT_NE(std::find(order.nodes.begin(), order.nodes.begin() + order.count, changed),
              order.nodes.begin() + order.count)
        << "an inactive node changed";
    const GraphNode &before = parent.nodes[changed], &after = child.nodes[changed];
    if (before.arity != after.arity) {
      ++arity;
    } else if (before.op != after.op) {
      ++operation;
      EXPECT_EQ(before.operands, after.operands);
    } else {
      ++connection;
      binaryConnections += before.arity == 2;
      swaps += before.arity == 2 && before.operands[0] == after.operands[1] &&
               before.operands[1] == after.operands[0];
    }
  }
  EXPECT_NEAR(operation / double(draws), 0.70, 0.01);
  EXPECT_NEAR(connection / double(draws), 0.15, 0.01);
  EXPECT_NEAR(arity / double(draws), 0.15, 0.01);
  EXPECT_NEAR(swaps / double(binaryConnections), 0.20, 0.02);
}

TEST(GraphGenomeText, roundTrips) {
  Rng rng(8);
  GraphSpace space;
  for (int i = 0; i < 2000; ++i) {
    Genome genome = space.sample(rng);
    std::string text = space.serialise(genome);
    EXPECT_EQ(space.serialise(space.parse(text)), text);
    EXPECT_TRUE(asGraph(space.parse(text)) == asGraph(genome));
  }
}

TEST(GraphGenomeText, errorsSayWhere) {
  GraphSpace space;
  auto messageFor = [&](const char *text) -> std::string {
    try {
      space.parse(text);
    } catch (const SearchError &error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_EQ(messageFor(""), "genome '': expected 'n0=' at column 1");
  EXPECT_EQ(messageFor("n0=3:1(y)"),
            "genome 'n0=3:1(y)': expected an arity from 1 to 2 at column 4");
  EXPECT_EQ(messageFor("n0=1:27(y)"),
            "genome 'n0=1:27(y)': expected an operation from 0 to 26 at column 6");
  EXPECT_EQ(messageFor("n0=1:1(q)"),
            "genome 'n0=1:1(q)': expected an operand (y, p, 1, -1, n0 to n3) at column 8");
  EXPECT_NE(messageFor("n0=1:1(n1) n1=1:1(n0) n2=1:1(y) n3=1:1(y) r=1:0(n0)").find("cycle"),
            std::string::npos);
  EXPECT_NE(messageFor("n0=1:1(p) n1=1:1(n0) n2=1:1(y) n3=1:1(y) r=1:0(n0)").find("reach"),
            std::string::npos);
}

TEST(GraphKey, ignoresInactivePartsNumberingAndOrderOfCommutativeOperands) {
  GraphGenome a = parseGraph("n0=1:1(p) n1=2:2(y,n0) n2=1:1(y) n3=1:1(y) r=1:0(n1)");
  GraphGenome b = parseGraph("n0=1:7(1) n1=1:9(n1) n2=2:2(n3,y) n3=1:1(p) r=1:0(n2)");
  EXPECT_EQ(graphKey(a), graphKey(b));
  GraphGenome c = parseGraph("n0=1:1(p) n1=2:1(y,n0) n2=1:1(y) n3=1:1(y) r=1:0(n1)");
  GraphGenome d = parseGraph("n0=1:1(p) n1=2:1(n0,y) n2=1:1(y) n3=1:1(y) r=1:0(n1)");
  EXPECT_NE(graphKey(c), graphKey(d));
}

TEST(GraphEmission, readsLikeAHandWrittenLoss) {
  GraphSpace space;
  Genome genome = space.parse("n0=1:1(p) n1=2:2(y,n0) n2=1:1(y) n3=1:1(y) r=1:0(n1)");
  EXPECT_EQ(space.formula(genome, Sign::Keep), "-sum(y * log(yhat + 1e-7) over class)");
  EXPECT_EQ(space.emit(genome, {"ce_like", Sign::Keep, "losssearch graph, seed 1, candidate 7"}),
            R"(/// An evolved loss of the graph space.
///
/// Formula: -sum(y * log(yhat + 1e-7) over class), yhat = softmax(logits)
/// Source: losssearch graph, seed 1, candidate 7
loss ce_like(
  /// Unnormalised scores.
  logits: [batch, class],
  /// Class indices, or a distribution over the classes.
  y: target [batch, class]
) {
  let yhat = softmax(logits over class)
  let logarithm = log(yhat + 1e-7)
  let product = y * logarithm
  return -sum(product over class)
}
)");
}

TEST(GraphEmission, numbersEqualNounsAndDropsEmptySteps) {
  GraphSpace space;
  Genome genome = space.parse("n0=1:3(p) n1=1:3(n0) n2=1:4(y) n3=2:2(n1,n2) r=2:0(n3,n0)");
  std::string text = space.emit(genome, {"twice", Sign::Negate, ""});
  EXPECT_NE(text.find("let exponential = exp(yhat)\n"), std::string::npos) << text;
  EXPECT_NE(text.find("let exponential2 = exp(exponential)\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("magnitude"), std::string::npos) << text;
  EXPECT_NE(text.find("let product = exponential2 * y\n"), std::string::npos) << text;
  EXPECT_NE(text.find("return -sum(product + exponential over class)\n"), std::string::npos)
      << text;
}

TEST(GraphEvaluation, slopesAreThoseOfTheValues) {
  Rng rng(9);
  GraphSpace space;
  int compared = 0;
  for (int i = 0; i < 3000; ++i) {
    Genome genome = space.sample(rng);
    double y[] = {0, 1, 0.3}, p[] = {0.31, 0.62, 0.07}, value[3], slope[3];
    space.evaluate(genome, y, p, 3, value, slope);
    double h = 1e-5, shifted[4][3], unused[3];
    for (int s = 0; s < 4; ++s) {
      double moved[3];
      for (int k = 0; k < 3; ++k)
        moved[k] = p[k] + (s < 2 ? s + 1 : 1 - s) * h;
      space.evaluate(genome, y, moved, 3, shifted[s], nullptr);
    }
    (void)unused;
    for (int k = 0; k < 3; ++k) {
      double d1 = (shifted[0][k] - shifted[2][k]) / (2 * h);
      double d2 = (shifted[1][k] - shifted[3][k]) / (4 * h);
      double numeric = (4 * d1 - d2) / 3;
      // Where the differences agree with each other the curve is smooth enough to compare.
      if (!std::isfinite(numeric) || std::fabs(d1 - d2) > 1e-6 * std::fabs(numeric) ||
          std::fabs(numeric) * h < 1e-9 * std::fabs(value[k]))
        continue;
      ++compared;
      EXPECT_NEAR(slope[k], numeric, 1e-4 * std::fabs(numeric)) << space.serialise(genome);
    }
  }
  EXPECT_GT(compared, 3000);
}

TEST(GraphEvaluation, blocksOfAnySize) {
  GraphSpace space;
  Rng rng(10);
  Genome genome = space.sample(rng);
  std::vector<double> y(1000), p(1000), all(1000), one(1);
  for (size_t i = 0; i < 1000; ++i) {
    y[i] = i % 2;
    p[i] = (i + 0.5) / 1000;
  }
  space.evaluate(genome, y.data(), p.data(), 1000, all.data(), nullptr);
  for (size_t i : {0, 255, 256, 511, 768, 999}) {
    space.evaluate(genome, &y[i], &p[i], 1, one.data(), nullptr);
    EXPECT_DOUBLE_EQ(one[0], all[i]);
  }
}

TEST(Spaces, unknownNameIsAnError) {
  EXPECT_EQ(makeSpace("graph")->name(), "graph");
  try {
    makeSpace("grpah");
    FAIL();
  } catch (const SearchError &error) {
    EXPECT_STREQ(error.what(), "unknown search space 'grpah': expected one of graph");
  }
}
