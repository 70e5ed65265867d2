// The screen: integrity check, phenotypes, duplicate index.

#include "search/screen/PhenotypeIndex.h"
#include "search/spaces/GraphSampler.h"
#include "search/spaces/GraphSpace.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <functional>

using namespace loss::search;

namespace {
/// Integrity of a loss given as a function of t, the probability of the wrong class.
Integrity integrityOf(const std::function<double(double)> &loss) {
  std::vector<double> curve(1000);
  for (int i = 0; i < 1000; ++i)
    curve[i] = loss(1e-7 + (1 - 2e-7) * i / 999);
  return checkIntegrity(curve.data(), curve.size());
}

void expectKept(const Integrity &integrity) {
  EXPECT_STREQ(verdictName(integrity.verdict), "accepted");
  EXPECT_EQ(integrity.sign, Sign::Keep);
}
void expectNegated(const Integrity &integrity) {
  EXPECT_STREQ(verdictName(integrity.verdict), "accepted");
  EXPECT_EQ(integrity.sign, Sign::Negate);
}
void expectRejected(const Integrity &integrity, Verdict verdict) {
  EXPECT_STREQ(verdictName(integrity.verdict), verdictName(verdict));
}

double crossEntropy(double t) { return -std::log(1 - t + 1e-7); }

/// exp(a - p - p y) - cos(cos(sin(p))) summed over both classes.
double nextGeneration(double t) {
  auto f = [](double p, double y) {
    return std::exp(2.4092 - p - p * y) - std::cos(std::cos(std::sin(p)));
  };
  return f(t, 0) + f(1 - t, 1);
}

const char *crossEntropyGenome = "n0=1:1(p) n1=2:2(y,n0) n2=1:1(y) n3=1:1(y) r=1:0(n1)";
const char *negatedCrossEntropyGenome = "n0=1:1(p) n1=2:2(y,n0) n2=1:1(y) n3=1:1(y) r=2:6(n1,n2)";
} // namespace

TEST(Integrity, monotoneLosses) {
  expectKept(integrityOf(crossEntropy));
  expectNegated(integrityOf([](double t) { return -crossEntropy(t); }));
  expectKept(integrityOf([](double t) { return t * t; }));
}

TEST(Integrity, nextGenerationLossHasAValleyAndIsKept) {
  // Its minimum lies where the right class has probability 0.5659.
  expectKept(integrityOf(nextGeneration));
  expectNegated(integrityOf([](double t) { return -nextGeneration(t); }));
}

TEST(Integrity, weaklyMonotoneIsMonotone) {
  // Five flat steps in a rising and in a falling curve.
  auto stepped = [](double t) { return t > 0.2 && t < 0.205 ? 0.2025 : t; };
  expectKept(integrityOf(stepped));
  expectNegated(integrityOf([&](double t) { return -stepped(t); }));
}

TEST(Integrity, plateau) {
  expectRejected(integrityOf([](double) { return 1.0; }), Verdict::Plateau);
  expectRejected(integrityOf([](double t) { return std::fmax(t, 0.4); }), Verdict::Plateau);
  // Exactly 10 flat steps are allowed, 11 are not.
  auto flat = [](int steps) {
    return [steps](double t) {
      double i = std::round(t * 999);
      return i > 100 && i <= 100 + steps ? 100.0 : i;
    };
  };
  expectKept(integrityOf(flat(10)));
  expectRejected(integrityOf(flat(11)), Verdict::Plateau);
}

TEST(Integrity, extremumInTheCentre) {
  expectRejected(integrityOf([](double t) { return (t - 0.5) * (t - 0.5); }),
                 Verdict::CentreExtremum);
  expectRejected(integrityOf([](double t) { return -(t - 0.5) * (t - 0.5); }),
                 Verdict::CentreExtremum);
  // Indices 490 to 509 are the centre, 489 and 510 are not.
  auto valley = [](int bottom) {
    return [bottom](double t) { return std::fabs(std::round(t * 999) - bottom); };
  };
  expectKept(integrityOf(valley(489)));
  expectRejected(integrityOf(valley(490)), Verdict::CentreExtremum);
  expectRejected(integrityOf(valley(509)), Verdict::CentreExtremum);
  expectKept(integrityOf(valley(510)));
}

TEST(Integrity, oneTurnIsAllowedTwoAreNot) {
  expectKept(integrityOf([](double t) { return (t - 0.3) * (t - 0.3); }));
  expectNegated(integrityOf([](double t) { return -(t - 0.3) * (t - 0.3); }));
  expectRejected(integrityOf([](double t) { return std::sin(9 * t); }), Verdict::Oscillates);
}

TEST(Integrity, notFinite) {
  expectRejected(integrityOf([](double t) { return t > 0.9 ? NAN : t; }), Verdict::NotFinite);
  expectRejected(integrityOf([](double t) { return t > 0.9 ? INFINITY : t; }), Verdict::NotFinite);
  // Finite, but not in single precision.
  expectRejected(integrityOf([](double t) { return 1e39 * t; }), Verdict::NotFinite);
  expectKept(integrityOf([](double t) { return 1e38 * t; }));
}

TEST(Screen, signDoesNotDependOnTheParent) {
  GraphSpace space;
  Screened parent = screen(space, space.parse(negatedCrossEntropyGenome));
  // y log(p) falls towards the wrong answer, so it is negated ...
  ASSERT_EQ(parent.verdict, Verdict::Accepted);
  EXPECT_EQ(parent.sign, Sign::Negate);
  // ... and every child is judged by its own curve, whatever its parent's sign.
  Screened child = screen(space, space.parse(crossEntropyGenome));
  ASSERT_EQ(child.verdict, Verdict::Accepted);
  EXPECT_EQ(child.sign, Sign::Keep);
}

TEST(Screen, phenotypesAreScaledAndSigned) {
  GraphSpace space;
  for (const char *text : {crossEntropyGenome, negatedCrossEntropyGenome}) {
    Screened screened = screen(space, space.parse(text));
    ASSERT_EQ(screened.verdict, Verdict::Accepted);
    const std::vector<float> &curve = screened.phenotype.curve;
    ASSERT_EQ(curve.size(), 1000u);
    EXPECT_NEAR(curve.front(), 0, 1e-6);
    EXPECT_NEAR(curve.back(), 1, 1e-6);
    double square = 0;
    ASSERT_EQ(screened.phenotype.gradients.size(), 60u);
    for (float g : screened.phenotype.gradients)
      square += g * g;
    EXPECT_NEAR(square, 1, 1e-5);
  }
}

TEST(Screen, gradientsAreThoseOfCrossEntropy) {
  GraphSpace space;
  Screened screened = screen(space, space.parse(crossEntropyGenome));
  const Probe &probe = Probe::instance();
  // By the logits: p - y, up to the scale.
  double dot = 0, square = 0;
  for (size_t i = 0; i < Probe::gradientPoints; ++i) {
    double expected = probe.gradientYhat[i] - probe.gradientY[i];
    dot += expected * screened.phenotype.gradients[i];
    square += expected * expected;
  }
  EXPECT_NEAR(dot / std::sqrt(square), 1, 1e-5);
}

TEST(Screen, acceptsAsManyAsPublished) {
  // Of all uniform draws about 6.5 % are accepted, and of the first 1,000 accepted about 470 have a
  // curve of their own.
  GraphSpace space;
  Rng rng(12);
  uint64_t raw = 0;
  int64_t accepted = 0;
  PhenotypeIndex curves, losses;
  while (accepted < 1000) {
    Genome genome = std::make_shared<GraphGenome>(drawGraphByRejection(rng, &raw));
    Screened screened = screen(space, genome);
    if (screened.verdict != Verdict::Accepted)
      continue;
    ++accepted;
    if (!losses.find(screened.phenotype))
      losses.add(accepted, screened.phenotype);
    screened.phenotype.gradients.clear();
    if (!curves.find(screened.phenotype))
      curves.add(accepted, screened.phenotype);
  }
  RecordProperty("raw", std::to_string(raw));
  RecordProperty("curves", std::to_string(curves.size()));
  RecordProperty("losses", std::to_string(losses.size()));
  EXPECT_NEAR(static_cast<double>(accepted) / static_cast<double>(raw), 0.065, 0.01);
  EXPECT_NEAR(static_cast<double>(curves.size()), 470, 60);
  // More classes tell some of them apart.
  EXPECT_GT(losses.size(), curves.size());
}

TEST(PhenotypeIndex, findsWhatIsWithinTheTolerance) {
  GraphSpace space;
  Phenotype ce = screen(space, space.parse(crossEntropyGenome)).phenotype;
  PhenotypeIndex index;
  index.add(7, ce);
  EXPECT_EQ(index.find(ce), 7);
  for (double distance : {0.009, 0.011})
    for (int at : {0, 1, 2, 3}) {
      // A shift of that length: in one point, in all points, in all points with alternating sign.
      Phenotype moved = ce;
      for (size_t i = 0; i < 1000; ++i) {
        double share = at == 0   ? (i == 500 ? 1.0 : 0.0)
                       : at == 1 ? 1 / std::sqrt(1000.0)
                       : at == 2 ? (i % 2 ? -1 : 1) / std::sqrt(1000.0)
                                 : -1 / std::sqrt(1000.0);
        moved.curve[i] = static_cast<float>(moved.curve[i] + distance * share);
      }
      EXPECT_EQ(index.find(moved).has_value(), distance < 0.01) << at;
    }
  index.remove(7);
  EXPECT_EQ(index.find(ce), std::nullopt);
  EXPECT_EQ(index.size(), 0u);
  index.remove(7);
}

TEST(PhenotypeIndex, equalCurvesDoNotProveEquality) {
  GraphSpace space;
  // With two classes p (1 - y) sums up to t, and y (1 - p) too; with three classes they differ.
  Genome first = space.parse("n0=2:1(1,y) n1=2:2(p,n0) n2=1:4(n1) n3=1:1(y) r=2:3(n1,n2)");
  Genome second = space.parse("n0=2:1(1,p) n1=2:2(n0,y) n2=1:4(n1) n3=1:1(y) r=2:3(n1,n2)");
  Screened a = screen(space, first), b = screen(space, second);
  ASSERT_EQ(a.verdict, Verdict::Accepted);
  ASSERT_EQ(b.verdict, Verdict::Accepted);
  double square = 0;
  for (size_t i = 0; i < 1000; ++i)
    square += std::pow(a.phenotype.curve[i] - b.phenotype.curve[i], 2);
  EXPECT_LE(std::sqrt(square), 0.01);
  PhenotypeIndex index;
  index.add(1, a.phenotype);
  EXPECT_EQ(index.find(a.phenotype), 1);
  // sum_k p_k (1 - y_k) = 1 - p_true = sum_k y_k (1 - p_k): equal for every number of classes.
  EXPECT_EQ(index.find(b.phenotype), 1);
  // Squares of the two: equal curves up to scale, other gradients from three classes on.
  Genome third = space.parse("n0=2:1(y,p) n1=1:22(n0) n2=1:1(y) n3=1:1(y) r=1:4(n1)");
  Genome fourth = space.parse("n0=2:1(1,p) n1=2:2(n0,y) n2=1:22(n1) n3=1:1(y) r=1:4(n2)");
  Screened c = screen(space, third), d = screen(space, fourth);
  ASSERT_EQ(c.verdict, Verdict::Accepted);
  ASSERT_EQ(d.verdict, Verdict::Accepted);
  index.add(2, c.phenotype);
  square = 0;
  for (size_t i = 0; i < 1000; ++i)
    square += std::pow(c.phenotype.curve[i] - d.phenotype.curve[i], 2);
  EXPECT_LE(std::sqrt(square), 0.01);
  EXPECT_EQ(index.find(d.phenotype), std::nullopt);
}

TEST(PhenotypeIndex, staysQuickWhenItGrows) {
  // Distinct smooth curves; the time of a search may not grow with the number of entries.
  PhenotypeIndex index;
  Rng rng(11);
  auto random = [&] {
    Phenotype phenotype;
    phenotype.gradients.assign(60, 0.1f);
    phenotype.curve.resize(1000);
    double power = 0.3 + 4 * rng.uniform(), bend = rng.uniform(), wave = 3 * rng.uniform();
    for (size_t i = 0; i < 1000; ++i) {
      double t = i / 999.0;
      phenotype.curve[i] =
          static_cast<float>((1 - bend) * std::pow(t, power) + bend * std::sin(wave * t));
    }
    return phenotype;
  };
  const int64_t entries = 20000;
  for (int64_t id = 0; id < entries; ++id)
    index.add(id, random());
  std::vector<Phenotype> queries;
  for (int i = 0; i < 2000; ++i)
    queries.push_back(random());
  auto begin = std::chrono::steady_clock::now();
  int found = 0;
  for (const Phenotype &query : queries)
    found += index.find(query).has_value();
  double microseconds =
      std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count() /
      queries.size();
  RecordProperty("microseconds", std::to_string(microseconds));
  EXPECT_LT(microseconds, 100) << found << " found";
}
