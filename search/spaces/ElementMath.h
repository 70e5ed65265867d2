//===- ElementMath.h - math functions on arrays -----------------*- C++ -*-===//
#ifndef LOSSLANG_SEARCH_SPACES_ELEMENTMATH_H
#define LOSSLANG_SEARCH_SPACES_ELEMENTMATH_H

#include <cstddef>

namespace loss::search {

enum class ElementFn {
  Exp,
  Log,
  Log10,
  Sigmoid,
  Erf,
  Erfc,
  Sin,
  Cos,
  Sinh,
  Cosh,
  Tanh,
  Asinh,
  Atan,
  BesselI0,
  BesselI0e,
  BesselI1,
  BesselI1e,
};

/// out[i] = fn(in[i]) in double precision.
void applyElement(ElementFn fn, const double *in, double *out, size_t count);

} // namespace loss::search

#endif // LOSSLANG_SEARCH_SPACES_ELEMENTMATH_H
