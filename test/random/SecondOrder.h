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
  /// `isFolded`: the program computes something of constants alone, in f64.
  SecondOrder(Tools tools, const lang::Program &program, uint64_t seed, bool isFolded);

  /// Compares all that computes them, on data of the seed. `gradient`: the exact value and
  /// gradients there. Empty, or what disagrees.
  std::string check(const Data &data, const std::vector<BoundedArray> &gradient);

private:
  /// The tangent, and for each argument of the program the Hessian-vector product, 0 for those that
  /// the mode leaves out.
  template <typename S> using Results = std::vector<ir::reference::BasicArray<S>>;

  std::string build(const Data &data);
  template <typename S> Results<S> gathered(ir::ProgramOp program, Results<S> results) const;
  std::string compareTangent(const std::vector<BoundedArray> &exact,
                             const std::vector<BoundedArray> &gradient);
  std::string compareSlope(const std::vector<BoundedArray> &exact, bool &isSmooth);
  std::string compareKernels(const std::vector<BoundedArray> &exact,
                             const std::vector<BoundedArray> &rewritten);
  std::string compareTorch(const std::vector<BoundedArray> &exact);
  bool isChosen(const std::string &name) const { return call.tangents.count(name); }
  Tally &tally(Subject subject) { return tools.tallies[unsigned(subject)]; }

  Tools tools;
  const lang::Program &program;
  uint64_t seed;
  bool isFolded;
  std::optional<SecondOrderPrograms> written, optimised;
  /// Inputs, then parameters.
  std::vector<std::string> names;
  /// Of one check: the arguments of the program with the weights as its seed, the weights, and
  /// directions.
  const Data *data = nullptr;
  ir::reference::Arguments arguments;
  CallOptions call;
};

} // namespace loss::stress

#endif // LOSSLANG_TEST_RANDOM_SECONDORDER_H
