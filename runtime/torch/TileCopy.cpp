#include "runtime/torch/TileCopy.h"

#include <c10/util/BFloat16.h>
#include <c10/util/Half.h>

#include <immintrin.h>

namespace loss::runtime {

using c10::BFloat16;
using c10::Half;
using c10::ScalarType;

// Everything from here on is compiled for AVX2 and F16C, and called only where they are. The
// functions have internal linkage, so no other file gets them.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,f16c"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,f16c")
#endif
namespace {

constexpr int64_t lanes = 8;

inline __m256 load(const float *from) { return _mm256_loadu_ps(from); }
inline __m256 load(const Half *from) {
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i *>(from)));
}
inline __m256 load(const BFloat16 *from) {
  const __m128i bits = _mm_loadu_si128(reinterpret_cast<const __m128i *>(from));
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
}

inline void store(float *to, __m256 v) { _mm256_storeu_ps(to, v); }
inline void store(Half *to, __m256 v) {
  _mm_storeu_si128(reinterpret_cast<__m128i *>(to),
                   _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
inline void store(BFloat16 *to, __m256 v) {
  // To nearest, ties to even; NaN to the one that c10 makes.
  const __m256i bits = _mm256_castps_si256(v);
  const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  __m256i rounded = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
  rounded = _mm256_srli_epi32(rounded, 16);
  const __m256i isNan = _mm256_castps_si256(_mm256_cmp_ps(v, v, _CMP_UNORD_Q));
  rounded = _mm256_blendv_epi8(rounded, _mm256_set1_epi32(0x7fc0), isNan);
  const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(rounded, rounded), 0x08);
  _mm_storeu_si128(reinterpret_cast<__m128i *>(to), _mm256_castsi256_si128(packed));
}

/// Columns become rows.
inline void transpose(__m256 (&v)[lanes]) {
  __m256 a[lanes], b[lanes];
  for (int i = 0; i < 4; ++i) {
    a[2 * i] = _mm256_unpacklo_ps(v[2 * i], v[2 * i + 1]);
    a[2 * i + 1] = _mm256_unpackhi_ps(v[2 * i], v[2 * i + 1]);
  }
  for (int half = 0; half < 2; ++half) {
    const int k = 4 * half;
    b[k] = _mm256_shuffle_ps(a[k], a[k + 2], 0x44);
    b[k + 1] = _mm256_shuffle_ps(a[k], a[k + 2], 0xee);
    b[k + 2] = _mm256_shuffle_ps(a[k + 1], a[k + 3], 0x44);
    b[k + 3] = _mm256_shuffle_ps(a[k + 1], a[k + 3], 0xee);
  }
  for (int i = 0; i < 4; ++i) {
    v[i] = _mm256_permute2f128_ps(b[i], b[i + 4], 0x20);
    v[i + 4] = _mm256_permute2f128_ps(b[i], b[i + 4], 0x31);
  }
}

/// Both sides contiguous along a row.
template <typename To, typename From> void copyLine(const From *from, To *to, int64_t count) {
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes)
    store(to + i, load(from + i));
  for (; i < count; ++i)
    to[i] = static_cast<To>(static_cast<float>(from[i]));
}

/// The start of the block behind the one at `at`: the last one overlaps its predecessor.
inline int64_t nextBlock(int64_t at, int64_t size) {
  return at + lanes < size && at + 2 * lanes > size ? size - lanes : at + lanes;
}

template <typename From> void packTransposed(const Patch &p, const From *from, float *tile) {
  for (int64_t c = 0; c < p.columns; c = nextBlock(c, p.columns))
    for (int64_t r = 0; r < p.rows; r = nextBlock(r, p.rows)) {
      __m256 v[lanes];
      const From *block = from + c * p.arrayColumn + r;
      for (int64_t i = 0; i < lanes; ++i) {
        // Each column is another page perhaps: no hardware prefetch follows.
        __builtin_prefetch(block + (2 * lanes + i) * p.arrayColumn);
        v[i] = load(block + i * p.arrayColumn);
      }
      transpose(v);
      for (int64_t i = 0; i < lanes; ++i)
        store(tile + (r + i) * p.tileRow + c, v[i]);
    }
}

template <typename To> void unpackTransposed(const Patch &p, To *to, const float *tile) {
  for (int64_t c = 0; c < p.columns; c = nextBlock(c, p.columns))
    for (int64_t r = 0; r < p.rows; r = nextBlock(r, p.rows)) {
      __m256 v[lanes];
      for (int64_t i = 0; i < lanes; ++i)
        v[i] = load(tile + (r + i) * p.tileRow + c);
      transpose(v);
      To *block = to + c * p.arrayColumn + r;
      for (int64_t i = 0; i < lanes; ++i)
        store(block + i * p.arrayColumn, v[i]);
    }
}

enum class Way { None, Lines, Line, Transposed };

Way chooseWay(const Patch &p) {
  if (p.columns == 1 && p.arrayRow == 1 && p.tileRow == 1)
    return Way::Line;
  if (p.arrayColumn == 1)
    return Way::Lines;
  return p.arrayRow == 1 && p.rows >= lanes && p.columns >= lanes ? Way::Transposed : Way::None;
}

template <typename From> bool toTile(const Patch &p, const From *from, float *tile) {
  switch (chooseWay(p)) {
  case Way::None:
    return false;
  case Way::Line:
    copyLine(from, tile, p.rows);
    break;
  case Way::Lines:
    for (int64_t r = 0; r < p.rows; ++r)
      copyLine(from + r * p.arrayRow, tile + r * p.tileRow, p.columns);
    break;
  case Way::Transposed:
    packTransposed(p, from, tile);
    break;
  }
  return true;
}

template <typename To> bool fromTile(const Patch &p, To *to, const float *tile) {
  switch (chooseWay(p)) {
  case Way::None:
    return false;
  case Way::Line:
    copyLine(tile, to, p.rows);
    break;
  case Way::Lines:
    for (int64_t r = 0; r < p.rows; ++r)
      copyLine(tile + r * p.tileRow, to + r * p.arrayRow, p.columns);
    break;
  case Way::Transposed:
    unpackTransposed(p, to, tile);
    break;
  }
  return true;
}

} // namespace
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

namespace {

bool isFast() {
  static const bool fast = [] {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("f16c");
  }();
  return fast;
}

} // namespace

bool copyToTileFast(const Patch &patch, const void *array, ScalarType type, float *tile) {
  if (!isFast())
    return false;
  switch (type) {
  case ScalarType::Float:
    return toTile(patch, static_cast<const float *>(array), tile);
  case ScalarType::Half:
    return toTile(patch, static_cast<const Half *>(array), tile);
  case ScalarType::BFloat16:
    return toTile(patch, static_cast<const BFloat16 *>(array), tile);
  default:
    return false;
  }
}

bool copyFromTileFast(const Patch &patch, void *array, ScalarType type, const float *tile) {
  if (!isFast())
    return false;
  switch (type) {
  case ScalarType::Float:
    return fromTile(patch, static_cast<float *>(array), tile);
  case ScalarType::Half:
    return fromTile(patch, static_cast<Half *>(array), tile);
  case ScalarType::BFloat16:
    return fromTile(patch, static_cast<BFloat16 *>(array), tile);
  default:
    return false;
  }
}

} // namespace loss::runtime
