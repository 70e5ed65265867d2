//===- Scan.h - cumulative sums, also in the order of a key --------*- C++ -*-===//
//
// Code that kernels call: what a loop over vectors cannot do.
//
//===----------------------------------------------------------------------------===//
#ifndef LOSSLANG_COMPILER_TARGET_CPU_VECMATH_KERNELS_SCAN_H
#define LOSSLANG_COMPILER_TARGET_CPU_VECMATH_KERNELS_SCAN_H

#include "compiler/Target/CPU/VecMath/Kernels/Exp.h"
#include "compiler/Target/CPU/VecMath/Kernels/Log.h"

#include <cstdint>

namespace loss::vecmath {
namespace {

/// Whether position a comes before b: a greater key, ties by position. No key is NaN.
template <typename T> inline bool comesBefore(const T *key, int64_t stride, int64_t a, int64_t b) {
  const T x = key[a * stride], y = key[b * stride];
  return x > y || (x == y && a < b);
}

/// Whether a key is NaN: there is no order then.
template <typename T> inline bool hasNaN(const T *key, int64_t stride, int64_t count) {
  bool found = false;
  for (int64_t i = 0; i < count; ++i)
    found |= key[i * stride] != key[i * stride];
  return found;
}

/// Moves order[root] down the heap of `count` positions whose parents come last.
template <typename T>
inline void siftDown(const T *key, int64_t stride, int64_t *order, int64_t root, int64_t count) {
  const int64_t moved = order[root];
  for (;;) {
    int64_t child = 2 * root + 1;
    if (child >= count)
      break;
    if (child + 1 < count && comesBefore(key, stride, order[child], order[child + 1]))
      ++child;
    if (!comesBefore(key, stride, moved, order[child]))
      break;
    order[root] = order[child];
    root = child;
  }
  order[root] = moved;
}

/// Positions 0 ... count - 1 by descending key. Heap sort: in place, without recursion, and n log n
/// comparisons for every input.
template <typename T>
inline void sortByKey(const T *key, int64_t stride, int64_t *order, int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    order[i] = i;
  for (int64_t root = count / 2; root-- > 0;)
    siftDown(key, stride, order, root, count);
  for (int64_t last = count - 1; last > 0; --last) {
    const int64_t first = order[0];
    order[0] = order[last];
    order[last] = first;
    siftDown(key, stride, order, 0, last);
  }
}

/// The positions of an axis in their order or, with a key, by descending key; backwards with
/// `reverse`. `order` is memory for `count` positions, used with a key only.
template <typename T> struct Walk {
  const T *key;
  int64_t keyStride;
  int64_t *order;
  int64_t count, reverse;

  /// Sorts. False where a key is NaN: there is no order, and all of `out` is NaN.
  bool begin(T *out, int64_t outStride) const {
    if (key && hasNaN(key, keyStride, count)) {
      for (int64_t i = 0; i < count; ++i)
        out[i * outStride] = static_cast<T>(__builtin_nan(""));
      return false;
    }
    if (key)
      sortByKey(key, keyStride, order, count);
    return true;
  }
  int64_t operator[](int64_t step) const {
    const int64_t place = reverse ? count - 1 - step : step;
    return key ? order[place] : place;
  }
};

/// out[i] = sum of in over the positions up to i. Summed in f64. Strides are in elements.
template <typename T>
inline void cumulativeSum(const T *in, int64_t inStride, T *out, int64_t outStride,
                          const Walk<T> &walk) {
  if (!walk.begin(out, outStride))
    return;
  double sum = 0;
  for (int64_t step = 0; step < walk.count; ++step) {
    const int64_t i = walk[step];
    sum += static_cast<double>(in[i * inStride]);
    out[i * outStride] = static_cast<T>(sum);
  }
}

/// out[i] = log of the sum of exp(in) over the positions up to i: m + log(s) for the greatest
/// element m so far and the sum s of exp(in - m). Each element needs exp of its distance to the m
/// before it; these and the logarithms are taken a vector at a time.
template <typename V, typename T>
inline void cumulativeLogSumExp(const T *in, int64_t inStride, T *out, int64_t outStride,
                                const Walk<T> &walk) {
  if (!walk.begin(out, outStride))
    return;
  constexpr T inf = __builtin_inff();
  T greatest = -inf;
  double sum = 0;
  for (int64_t first = 0; first < walk.count; first += lanes<V>) {
    const int64_t n = walk.count - first < lanes<V> ? walk.count - first : lanes<V>;
    T distance[lanes<V>] = {}, maximum[lanes<V>] = {}, sums[lanes<V>] = {};
    bool rises[lanes<V>] = {};
    for (int64_t k = 0; k < n; ++k) {
      const T x = in[walk[first + k] * inStride];
      // A NaN stays; elements that are infinite alike are at no distance.
      rises[k] = x > greatest;
      distance[k] = x == greatest ? 0 : rises[k] ? greatest - x : x - greatest;
      if (!(x <= greatest))
        greatest = greatest == greatest ? x : greatest;
      maximum[k] = greatest;
    }
    V faded;
    __builtin_memcpy(&faded, distance, sizeof faded);
    faded = exp(faded);
    __builtin_memcpy(distance, &faded, sizeof faded);
    for (int64_t k = 0; k < n; ++k) {
      const double factor = distance[k];
      sum = rises[k] ? sum * factor + 1 : sum + factor;
      sums[k] = static_cast<T>(sum);
    }
    V logs;
    __builtin_memcpy(&logs, sums, sizeof logs);
    logs = log(logs);
    __builtin_memcpy(sums, &logs, sizeof logs);
    for (int64_t k = 0; k < n; ++k)
      out[walk[first + k] * outStride] = maximum[k] == -inf ? -inf : maximum[k] + sums[k];
  }
}

/// out[i] = sum of in[j] exp(-|level[i] - level[j]|) over the positions j up to i: the sum so far
/// fades by the step of the level, which never changes its direction.
template <typename V, typename T>
inline void decayedSum(const T *in, int64_t inStride, const T *level, int64_t levelStride, T *out,
                       int64_t outStride, const Walk<T> &walk) {
  if (!walk.begin(out, outStride) || walk.count == 0)
    return;
  double sum = 0;
  T last = level[walk[0] * levelStride];
  for (int64_t first = 0; first < walk.count; first += lanes<V>) {
    const int64_t n = walk.count - first < lanes<V> ? walk.count - first : lanes<V>;
    T distance[lanes<V>] = {};
    for (int64_t k = 0; k < n; ++k) {
      const T l = level[walk[first + k] * levelStride];
      distance[k] = l == last ? 0 : walk.reverse ? l - last : last - l;
      // Rounding may leave a level below the one before.
      distance[k] = distance[k] > 0 ? 0 : distance[k];
      last = l;
    }
    V faded;
    __builtin_memcpy(&faded, distance, sizeof faded);
    faded = exp(faded);
    __builtin_memcpy(distance, &faded, sizeof faded);
    for (int64_t k = 0; k < n; ++k) {
      const int64_t i = walk[first + k];
      sum = sum * static_cast<double>(distance[k]) + static_cast<double>(in[i * inStride]);
      out[i * outStride] = static_cast<T>(sum);
    }
  }
}

} // namespace
} // namespace loss::vecmath

#endif
