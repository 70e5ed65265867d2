//===- HugeReduction.h - exact reduction of large angles ----------------------===//
//
// Payne and Hanek's idea: of the product of the significand with 2/pi only the bits around the
// binary point matter, because whole multiples of 4 quadrants drop out. Integer arithmetic on 192
// bits of 2/pi leaves at least 60 good bits for the double nearest to a multiple of pi/2.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_COMPILER_TARGET_CPU_VECMATH_KERNELS_HUGEREDUCTION_H
#define LOSSLANG_COMPILER_TARGET_CPU_VECMATH_KERNELS_HUGEREDUCTION_H

#include "compiler/Target/CPU/VecMath/Kernels/Base.h"

namespace loss::vecmath {
namespace {

/// a = index pi/2 + r (index modulo 4), |r| <= pi/4.
struct Quadrant {
  double r;
  int index;
};

/// 2^e for a normal result.
LOSS_VM_INLINE double scalarPowerOfTwo(int e) {
  return __builtin_bit_cast(double, (unsigned long)(e + 1023) << 52);
}

/// a > 1/2 or so; NaN for inf.
inline Quadrant reduceHuge(double a) {
  using U64 = unsigned long;
  using U128 = unsigned __int128;
  U64 representation = __builtin_bit_cast(U64, a);
  int biased = int(representation >> 52);
  if (biased == 0x7ff)
    return {a - a, 0};
  U64 m = (representation & 0xfffffffffffff) | 0x10000000000000;
  int e = biased - 1023 - 52; // a = m 2^e

  // x: 192 bits of 2/pi from the bit of weight 2^(1 - e) on, so that m x has the weight 2 on top.
  // A zero word stands before the table, for small e.
  int position = e - 2 + 64;
  int word = position >> 6, shift = position & 63;
  U64 x[3];
  for (int i = 0; i < 3; ++i) {
    int at = word + i - 1;
    U64 high = at < 0 ? 0 : table::twoOverPiWords[at];
    U64 low = table::twoOverPiWords[at + 1];
    x[i] = shift ? high << shift | low >> (64 - shift) : high;
  }
  U128 p = U128(m) * x[2];
  p = U128(m) * x[1] + U64(p >> 64);
  U64 low = U64(p);
  U64 high = m * x[0] + U64(p >> 64);

  // Two bits of quadrant, then the fraction, rounded to the nearest quadrant.
  int index = int(high >> 62);
  U128 fraction = (U128(high) << 64 | low) << 2;
  bool negative = fraction >> 127;
  if (negative) {
    ++index;
    fraction = -fraction;
  }
  if (fraction == 0)
    return {0.0, index};
  int zeros = U64(fraction >> 64) ? __builtin_clzl(U64(fraction >> 64))
                                  : 64 + __builtin_clzl(U64(fraction));
  fraction <<= zeros;
  double h = double(long(fraction >> 75)) * scalarPowerOfTwo(-53 - zeros);
  double l = double(long(U64(fraction >> 22) & 0x1fffffffffffff)) * scalarPowerOfTwo(-106 - zeros);
  double r = h * table::HalfPi::f64[0] + (h * table::HalfPi::f64[1] + l * table::HalfPi::f64[0]);
  return {negative ? -r : r, index};
}

} // namespace
} // namespace loss::vecmath

#endif // LOSSLANG_COMPILER_TARGET_CPU_VECMATH_KERNELS_HUGEREDUCTION_H
