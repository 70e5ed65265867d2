//===- Scan.h - cumulative sums, also in the order of a key --------*- C++ -*-===//
//
// Not vector math, but code that kernels call as well: what a loop over vectors cannot do.
//
//===----------------------------------------------------------------------------===//
#ifndef LOSSLANG_COMPILER_TARGET_CPU_VECMATH_KERNELS_SCAN_H
#define LOSSLANG_COMPILER_TARGET_CPU_VECMATH_KERNELS_SCAN_H

#include <cstdint>

namespace loss::vecmath {

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

/// out[i] = sum of in over the positions up to i (from i on, with `reverse`), in their order or,
/// with a key, in that of the descending key; NaN where a key is. Summed in f64. Strides are in
/// elements; `order` is memory for `count` positions, used with a key only.
template <typename T>
inline void cumulativeSum(const T *in, int64_t inStride, const T *key, int64_t keyStride, T *out,
                          int64_t outStride, int64_t *order, int64_t count, int64_t reverse) {
  if (key && hasNaN(key, keyStride, count)) {
    for (int64_t i = 0; i < count; ++i)
      out[i * outStride] = __builtin_nan("");
    return;
  }
  if (key)
    sortByKey(key, keyStride, order, count);
  double sum = 0;
  for (int64_t step = 0; step < count; ++step) {
    const int64_t place = reverse ? count - 1 - step : step;
    const int64_t i = key ? order[place] : place;
    sum += static_cast<double>(in[i * inStride]);
    out[i * outStride] = static_cast<T>(sum);
  }
}

} // namespace loss::vecmath

#endif
