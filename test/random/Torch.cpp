//===- Torch.cpp - a loss in LibTorch's operations ------------------------===//
//
// Every value is a tensor with one dimension for each axis of the program, of size 1 where the
// value lacks the axis. So broadcasting is LibTorch's own.
//
//===----------------------------------------------------------------------===//

#include "test/random/Torch.h"

#include <torch/torch.h>

using torch::Tensor;

namespace loss::stress {

namespace {

using lang::Node;
using lang::Op;

/// A value of which the derivative by an argument is given: itself differentiable.
struct GivenDerivative : torch::autograd::Function<GivenDerivative> {
  static Tensor forward(torch::autograd::AutogradContext *context, const Tensor &value,
                        const Tensor &argument, const Tensor &derivative) {
    context->save_for_backward({derivative});
    return value.clone();
  }
  static std::vector<Tensor> backward(torch::autograd::AutogradContext *context,
                                      std::vector<Tensor> adjoints) {
    return {adjoints[0], adjoints[0] * context->get_saved_variables()[0], Tensor()};
  }
};

class Evaluator {
public:
  Evaluator(const lang::Program &program, const Data &data) : program(program), data(data) {}

  std::optional<std::vector<std::vector<double>>> run(const CallOptions *along) {
    for (const lang::ProgramInput &input : program.inputs)
      leaves.push_back(leaf(data.arguments, input.name, input.axes));
    for (const lang::ProgramParam &param : program.params)
      leaves.push_back(leaf(data.arguments, param.name, 0));
    for (const Node &node : program.nodes) {
      Tensor value;
      if (node.op == Op::Input)
        value = leaves[node.index];
      else if (node.op == Op::Param)
        value = leaves[program.inputs.size() + node.index];
      else
        value = evaluate(node);
      if (!value.defined())
        return std::nullopt;
      values.push_back(value);
    }
    Tensor result = values[program.result];
    if (along)
      return secondOrder(result, *along);
    std::vector<std::vector<double>> all{numbers(result.detach())};
    if (result.requires_grad())
      result.sum().backward();
    for (Tensor &tensor : leaves)
      all.push_back(numbers(tensor.grad().defined() ? tensor.grad() : torch::zeros_like(tensor)));
    return all;
  }

private:
  /// The slope of the weighted result is linear in the weights: its derivative by each is the
  /// tangent of that element.
  std::optional<std::vector<std::vector<double>>> secondOrder(const Tensor &result,
                                                              const CallOptions &along) {
    Tensor weights = torch::ones_like(result.detach());
    if (!along.weights.empty())
      weights = torch::tensor(along.weights, torch::kFloat64).reshape(result.sizes());
    weights.requires_grad_();
    auto derivatives = [&](const Tensor &of, const std::vector<Tensor> &by) {
      std::vector<Tensor> gradients(by.size());
      if (of.requires_grad())
        gradients = torch::autograd::grad({of.sum()}, by, {}, /*retain_graph=*/true,
                                          /*create_graph=*/true, /*allow_unused=*/true);
      for (size_t i = 0; i < by.size(); ++i)
        // Autograd has zeros without memory: abs' is constant.
        if (!gradients[i].defined() || gradients[i]._is_zerotensor())
          gradients[i] = torch::zeros(by[i].sizes(), torch::kFloat64);
      return gradients;
    };
    std::vector<Tensor> gradients = derivatives(result * weights, leaves);
    Tensor slope = number(0);
    for (size_t i = 0; i < leaves.size(); ++i) {
      bool isInput = i < program.inputs.size();
      const std::string &name =
          isInput ? program.inputs[i].name : program.params[i - program.inputs.size()].name;
      if (along.tangents.count(name))
        slope = slope + (gradients[i] *
                         leaf(along.tangents, name, isInput ? program.inputs[i].axes : 0).detach())
                            .sum();
    }
    std::vector<Tensor> by = leaves;
    by.insert(by.begin(), weights);
    std::vector<std::vector<double>> all;
    for (const Tensor &gradient : derivatives(slope, by))
      all.push_back(numbers(gradient.detach()));
    return all;
  }

  Tensor leaf(const ir::reference::Arguments &arguments, const std::string &name,
              lang::AxisSet axes) {
    const auto &array = arguments.find(name)->second;
    std::vector<int64_t> shape(program.axes.size(), 1);
    for (size_t i = 0; i < shape.size(); ++i)
      if (axes >> i & 1)
        shape[i] = data.sizes[i];
    return torch::tensor(array.data, torch::kFloat64).reshape(shape).requires_grad_();
  }
  static std::vector<double> numbers(const Tensor &tensor) {
    Tensor flat = tensor.contiguous().reshape({-1});
    return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
  }
  Tensor number(double value) {
    return torch::full(std::vector<int64_t>(program.axes.size(), 1), value, torch::kFloat64);
  }
  Tensor alongAxis(int64_t axis) {
    std::vector<int64_t> shape(program.axes.size(), 1);
    shape[axis] = data.sizes[axis];
    return torch::arange(data.sizes[axis], torch::kFloat64).reshape(shape);
  }

  Tensor evaluate(const Node &node) {
    auto x = [&](size_t i = 0) { return values[node.operands[i]]; };
    int64_t axis = node.axis;
    switch (node.op) {
    case Op::Constant:
      return node.type.isBool ? number(node.value) != 0 : number(node.value);
    case Op::Size:
      return number(double(data.sizes[axis]));
    case Op::Index:
      return alongAxis(axis);
    case Op::Rename:
      return x().transpose(axis, node.axis2);
    case Op::Broadcast: {
      std::vector<int64_t> shape = x().sizes().vec();
      for (size_t i = 0; i < shape.size(); ++i)
        if (node.type.axes >> i & 1)
          shape[i] = data.sizes[i];
      return x().expand(shape);
    }
    case Op::CustomGradient:
      return GivenDerivative::apply(x(0), x(1), x(2));
    case Op::Neg:
      return -x();
    case Op::Not:
      return x().logical_not();
    case Op::Add:
      return x() + x(1);
    case Op::Sub:
      return x() - x(1);
    case Op::Mul:
      return x() * x(1);
    case Op::Div:
      return x() / x(1);
    case Op::Less:
      return x() < x(1);
    case Op::LessEqual:
      return x() <= x(1);
    case Op::Greater:
      return x() > x(1);
    case Op::GreaterEqual:
      return x() >= x(1);
    case Op::Equal:
      return x() == x(1);
    case Op::NotEqual:
      return x() != x(1);
    case Op::And:
      return x().logical_and(x(1));
    case Op::Or:
      return x().logical_or(x(1));
    case Op::Select:
      return torch::where(x(), x(1), x(2));
    case Op::abs:
      return x().abs();
    case Op::exp:
      return x().exp();
    case Op::expm1:
      return x().expm1();
    case Op::exp2:
      return x().exp2();
    case Op::log:
      return x().log();
    case Op::log1p:
      return x().log1p();
    case Op::log2:
      return x().log2();
    case Op::log10:
      return x().log10();
    case Op::sqrt:
      return x().sqrt();
    case Op::sin:
      return x().sin();
    case Op::cos:
      return x().cos();
    case Op::tan:
      return x().tan();
    case Op::asin:
      return x().asin();
    case Op::acos:
      return x().acos();
    case Op::atan:
      return x().atan();
    case Op::sinh:
      return x().sinh();
    case Op::cosh:
      return x().cosh();
    case Op::tanh: {
      // torch's own has the derivative 1 - tanh(x)^2, which cancels.
      Tensor twice = 2 * x(), zero = torch::zeros_like(twice);
      Tensor right = (-torch::logaddexp(-twice, zero)).exp();
      Tensor left = (-torch::logaddexp(twice, zero)).exp();
      return torch::where(x().abs() < 1, x().tanh(), right - left);
    }
    case Op::asinh:
      return x().asinh();
    case Op::acosh:
      return x().acosh();
    case Op::atanh:
      return x().atanh();
    case Op::erf:
      return x().erf();
    case Op::erfc:
      return x().erfc();
    case Op::erfinv:
      return x().erfinv();
    case Op::lgamma:
      return x().lgamma();
    case Op::digamma:
      return x().digamma();
    case Op::trigamma:
      return torch::polygamma(1, x());
    case Op::exprel: {
      // What a quotient has lost near 0 is the power series.
      Tensor isNear = x().abs() < 0.05, near = torch::where(isNear, x(), 0.);
      Tensor series =
          1 + near / 2 * (1 + near / 3 * (1 + near / 4 * (1 + near / 5 * (1 + near / 6))));
      Tensor far = x().masked_fill(isNear, 1);
      return torch::where(isNear, series, torch::expm1(far) / far);
    }
    case Op::stirling_error:
      return x().lgamma() - (x() - 0.5) * x().log() + x() - std::log(2 * M_PI) / 2;
    case Op::gamma_entropy:
      return x() + x().lgamma() + (1 - x()) * x().digamma();
    case Op::sigmoid:
      // torch's own has the derivative s (1 - s), which cancels.
      return (-torch::logaddexp(-x(), torch::zeros_like(x()))).exp();
    case Op::log1mexp:
      return torch::where(x() < -0.7, torch::log1p(-x().exp()), torch::log(-torch::expm1(x())));
    case Op::log_sigmoid:
      // torch's own has (z - 1) z with z = sigmoid(x) as its second derivative, which cancels.
      return -torch::logaddexp(-x(), torch::zeros_like(x()));
    case Op::softplus:
      // torch's own switches to x beyond a threshold.
      return torch::logaddexp(x(), torch::zeros_like(x()));
    case Op::relu:
      return x().relu();
    case Op::gelu:
      return torch::nn::functional::gelu(x());
    case Op::silu:
      return torch::nn::functional::silu(x());
    case Op::sign:
      return x().sign();
    case Op::stop_gradient:
      return x().detach();
    case Op::floor:
      return x().floor();
    case Op::ceil:
      return x().ceil();
    case Op::round:
      return x().round();
    case Op::bessel_i0:
      return torch::special::i0(x());
    case Op::bessel_i0e:
      return torch::special::i0e(x());
    case Op::bessel_i1:
      return torch::special::i1(x());
    case Op::bessel_i1e:
      return torch::special::i1e(x());
    case Op::max:
      return torch::maximum(x(), x(1));
    case Op::min:
      return torch::minimum(x(), x(1));
    case Op::pow:
      return torch::pow(x(), x(1));
    case Op::atan2:
      return torch::atan2(x(), x(1));
    case Op::hypot: {
      // torch's own has the gradient NaN at the origin, where [LANG-8.11] has 0.
      Tensor origin = (x() == 0).logical_and(x(1) == 0);
      return torch::hypot(x().masked_fill(origin, 1), x(1)).masked_fill(origin, 0);
    }
    case Op::xlogy:
      return torch::xlogy(x(), x(1));
    case Op::lbeta:
      return x().lgamma() + x(1).lgamma() - (x() + x(1)).lgamma();
    case Op::log_rising_factorial:
      return (x() + x(1)).lgamma() - x().lgamma();
    case Op::digamma_difference:
      return (x() + x(1)).digamma() - x().digamma();
    case Op::clamp: {
      // torch's own halves the gradient at a bound, where [LANG-8.9] gives all of it to x.
      Tensor raised = torch::where(x() < x(1), x(1), x());
      return torch::where(raised > x(2), x(2), raised);
    }
    case Op::reduce_sum:
      return x().sum(axis, true);
    case Op::reduce_mean:
      return x().mean(axis, true);
    case Op::reduce_max:
      return x().amax(axis, true);
    case Op::reduce_min:
      return x().amin(axis, true);
    case Op::reduce_logsumexp:
      return x().logsumexp(axis, true);
    case Op::reduce_norm:
      return x().norm(2, axis, true);
    case Op::reduce_argmax:
      return x().argmax(axis, true).to(torch::kFloat64);
    case Op::reduce_argmin:
      return x().argmin(axis, true).to(torch::kFloat64);
    case Op::softmax:
      return x().softmax(axis);
    case Op::log_softmax:
      return x().log_softmax(axis);
    case Op::rank:
      return order(x(), axis).argsort(axis).to(torch::kFloat64) + 1;
    case Op::cumsum:
    case Op::logcumsumexp: {
      auto along = [&](const Tensor &in) {
        return node.op == Op::cumsum ? in.cumsum(axis) : logCumSumExp(in, axis);
      };
      if (node.operandCount < 2)
        return along(x());
      auto both = torch::broadcast_tensors({x(), x(1)});
      Tensor positions = order(both[1], axis);
      return along(both[0].gather(axis, positions)).gather(axis, positions.argsort(axis));
    }
    default:
      return {};
    }
  }

  /// torch's own takes logarithms of the incoming gradient, whose second derivatives have few
  /// digits.
  static Tensor logCumSumExp(const Tensor &in, int64_t axis) {
    std::vector<Tensor> prefixes;
    for (int64_t k = 0; k < in.size(axis); ++k)
      prefixes.push_back(in.narrow(axis, 0, k + 1).logsumexp(axis, true));
    return torch::cat(prefixes, axis);
  }

  /// Positions in descending order, ties by position.
  static Tensor order(const Tensor &key, int64_t axis) {
    return std::get<1>(key.detach().sort(/*stable=*/true, axis, /*descending=*/true));
  }

  const lang::Program &program;
  const Data &data;
  std::vector<Tensor> leaves, values;
};

} // namespace

std::optional<std::vector<std::vector<double>>>
evaluateInTorch(const lang::Program &program, const Data &data, const CallOptions *along) {
  return Evaluator(program, data).run(along);
}

} // namespace loss::stress
