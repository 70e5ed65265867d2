//===- Difference.cpp - derivatives against central differences -----------===//

#include "test/random/Difference.h"

#include "compiler/Reference/BasicInterpreter.h"

using namespace loss::ir::reference;

namespace loss::stress {

Difference compareDifference(const std::string &what, const Line &line, Tally &counts) {
  auto base = converted<Real>(line.at), direction = converted<Real>(line.direction);
  BasicInterpreter<Real> centre(line.program);
  if (mlir::failed(centre.bind(base)) || mlir::failed(centre.run()))
    return {"the interpreter failed"};
  auto stopped = centre.stoppedValues();
  auto numberAt = [&](const Real &h) {
    BasicArguments<Real> at = base;
    for (auto &[name, v] : direction)
      for (size_t k = 0; k < v.data.size(); ++k)
        at[name].data[k] = at[name].data[k] + h * v.data[k];
    BasicInterpreter<Real> interpreter(line.program);
    interpreter.freezeStopped(stopped);
    if (mlir::failed(interpreter.bind(at)) || mlir::failed(interpreter.run()))
      return Real(std::numeric_limits<double>::quiet_NaN());
    return line.number(interpreter.results());
  };
  const Real h = powerOfTwo(-56);
  Real at0 = line.number(centre.results());
  Real right = numberAt(h), left = numberAt(-h);
  Real right2 = numberAt(h + h), left2 = numberAt(-(h + h));
  Real central = (right - left) / (h + h), wide = (right2 - left2) / (h + h + h + h);
  Real forward = (right - at0) / h, backward = (at0 - left) / h;
  if (!line.slope.isFinite() || !line.slopeBound.isFinite() || !wide.isFinite() ||
      !central.isFinite()) {
    ++counts.skipped;
    return {};
  }
  // At a kink or jump the derivative is what the language says it is, and no limit.
  Real size = maximum(abs(forward), abs(backward));
  Real tolerance = size * powerOfTwo(-24) + powerOfTwo(-40);
  if (abs(forward - backward) > tolerance || abs(central - wide) > tolerance) {
    ++counts.skipped;
    return {};
  }
  // The error of `central` is a third of its distance from `wide`, and what rounding makes of it:
  // Real's own is 2^-52 of the bound that is known, here divided by h.
  Real rounding = line.error * powerOfTwo(-52) / h, magnitude = size + line.magnitude;
  auto isLoose = [&](const Real &bound) { return bound > size / Real(16) + powerOfTwo(-40); };
  // A value that may jump is at no smooth point, as far as one can tell. That it did not jump here
  // shows in the differences to both sides, which also show what rounding did, down to that of some
  // thousand operations.
  Difference result;
  result.isSmooth = !isLoose(abs(central - wide) + Real(slack) * (line.slopeBound + rounding));
  Real noise = minimum(rounding, abs(forward - backward) + magnitude * powerOfTwo(-180) / h);
  Real bound = abs(central - wide) + Real(slack) * (line.slopeBound + noise);
  if (isLoose(bound)) {
    ++counts.skipped;
    return result;
  }
  ++counts.compared;
  if (!(abs(central - line.slope) > bound))
    return result;
  // Right at an equality, the derivative is that of one branch, by decree.
  auto close = evaluateBounded(line.derivative, nearby(line.at), /*areRounded=*/true,
                               converted<Bounded>(line.tangents));
  for (size_t i = 1; mlir::succeeded(close) && i < close->size(); ++i)
    for (const Bounded &element : (*close)[i].data)
      if (!(element.error[Exact] <= std::abs(toDouble(element)) * 0x1p-40 + 0x1p-100)) {
        --counts.compared, ++counts.skipped;
        return {};
      }
  char text[200];
  std::snprintf(text, sizeof text,
                " in a direction is %.17g, but central differences give %.17g within %.3g",
                toDouble(line.slope), toDouble(central), toDouble(bound));
  result.failure = what + text;
  return result;
}

} // namespace loss::stress
