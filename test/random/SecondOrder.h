//===- SecondOrder.h - all that must agree about second derivatives -*- C++ -*-===//
#ifndef LOSSLANG_TEST_RANDOM_SECONDORDER_H
#define LOSSLANG_TEST_RANDOM_SECONDORDER_H

#include "test/random/Kernels.h"
#include "test/random/Programs.h"

namespace loss::stress {

/// Of so many programs one has its second derivatives checked: compilation takes most of the time.
inline constexpr uint64_t secondOrderShare = 4;

/// What lossc --order=2 makes of one loss: the tangent of its value, and a Hessian-vector product.
class SecondOrder {
public:
  struct Tools {
    Laboratory &written, &optimised;
    KernelRunner &kernels;
    const CheckOptions &options;
    Tallies &tallies;
  };
  /// `isFolded`: the program computes something of constants alone, in f64. `options`: so many of
  /// the last inputs are options of a call, which have no direction.
  SecondOrder(Tools tools, const lang::Program &program, uint64_t seed, bool isFolded,
              size_t options = 0);

  /// Compares all that computes them, on data of the seed. `gradient`: the exact value and
  /// gradients there. Empty, or what disagrees.
  std::string check(const Data &data, const std::vector<BoundedArray> &gradient);

  /// A loss of which this program is the one with the options of a call written out.
  struct Original {
    const lang::Program &program;
    const Data &data;
    CallOptions options;
    KernelChoice kernel;
  };
  /// Compares a kernel with options of LOSS_TANGENT_ALL, or of LOSS_TANGENT where that is the same.
  /// `data` has no weights of elements.
  std::string checkOptions(const Data &data, const Original &original);

private:
  /// The tangent, and for each argument of the program the Hessian-vector product, 0 for those that
  /// the mode leaves out.
  template <typename S> using Results = std::vector<ir::reference::BasicArray<S>>;

  /// Empty, or why `exact` and `rewritten` are none or do not agree. They are empty where there is
  /// no second derivative.
  std::string evaluate(const Data &ofSeed, bool all);
  std::string build(bool all);
  template <typename S> Results<S> gathered(ir::ProgramOp program, Results<S> results) const;
  std::string compareTangent(const std::vector<BoundedArray> &gradient);
  std::string compareSlope(bool &isSmooth);
  std::string compareKernels();
  std::string compareTorch();
  bool isOption(size_t argument) const {
    return argument < program.inputs.size() && argument + options >= program.inputs.size();
  }
  bool isChosen(const std::string &name) const { return call.tangents.count(name); }
  Tally &tally(Subject subject) { return tools.tallies[unsigned(subject)]; }

  Tools tools;
  const lang::Program &program;
  uint64_t seed;
  bool isFolded;
  size_t options;
  std::optional<SecondOrderPrograms> written, optimised;
  /// Inputs, then parameters.
  std::vector<std::string> names;
  /// Of one check: the arguments of the program with the weights as its seed, the weights, and
  /// directions.
  const Data *data = nullptr;
  ir::reference::Arguments arguments;
  CallOptions call;
  std::vector<BoundedArray> exact, rewritten;
};

} // namespace loss::stress

#endif // LOSSLANG_TEST_RANDOM_SECONDORDER_H
