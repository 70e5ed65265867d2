//===- Space.h - what a search space offers ---------------------*- C++ -*-===//
//
// A space samples and mutates genomes and turns each into a `.loss` program. Evolution, screening
// and storage know only this interface, so a new space (expression trees, Taylor polynomials, ...)
// joins by implementing it and by a line in Spaces.cpp.
//
// A loss of a space is the sum over the classes of an elementwise function f(y, yhat), with
// yhat = softmax(logits over class).
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_SEARCH_SPACES_SPACE_H
#define LOSSLANG_SEARCH_SPACES_SPACE_H

#include "search/operators/Random.h"

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace loss::search {

/// Base of a space's own genome type. Genomes never change once made.
class GenomeBase {
public:
  virtual ~GenomeBase() = default;
};
using Genome = std::shared_ptr<const GenomeBase>;

/// Whether the sum over the classes is minimised or maximised (decided by the integrity check).
enum class Sign { Keep, Negate };

/// A genome text or a configuration was wrong. what() is one line for the user.
class SearchError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The program around the formula.
struct EmitOptions {
  std::string name = "candidate";
  Sign sign = Sign::Keep;
  /// One line for the documentation ("losssearch graph, seed 1, candidate 7, mutated from 3"), or
  /// empty for the bare program, whose text identifies the loss.
  std::string provenance;
};

/// A search space. Stateless but for its configuration: may be shared by threads.
class Space {
public:
  virtual ~Space() = default;

  /// As in `--space=`.
  virtual std::string_view name() const = 0;

  /// Draws a valid genome.
  virtual Genome sample(Rng &rng) const = 0;

  /// Draws a valid genome that differs from `parent` in one mutation and in its key.
  virtual Genome mutate(Rng &rng, const Genome &parent) const = 0;

  /// The loss as a complete `.loss` program.
  virtual std::string emit(const Genome &genome, const EmitOptions &options) const = 0;

  /// The loss on one line, in the language's notation.
  virtual std::string formula(const Genome &genome, Sign sign) const = 0;

  /// Equal for genomes that print the same program, whatever their inactive parts.
  virtual std::string key(const Genome &genome) const = 0;

  /// The genome as one line of text, and back. parse throws SearchError.
  virtual std::string serialise(const Genome &genome) const = 0;
  virtual Genome parse(std::string_view text) const = 0;

  /// f(y, yhat) at `count` points, and its derivative by yhat unless `slope` is null.
  virtual void evaluate(const Genome &genome, const double *y, const double *yhat, size_t count,
                        double *value, double *slope) const = 0;
};

/// How a space draws valid genomes; the distribution is the same.
enum class Sampler {
  /// Directly: no draw is thrown away.
  Construct,
  /// Uniform draws, the invalid ones thrown away, as published.
  Rejection,
};

/// Throws SearchError for an unknown name.
std::unique_ptr<Space> makeSpace(std::string_view name, Sampler sampler = Sampler::Construct);

/// Names for `--space=`.
std::vector<std::string> spaceNames();

} // namespace loss::search

#endif // LOSSLANG_SEARCH_SPACES_SPACE_H
