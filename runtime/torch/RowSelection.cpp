#include "runtime/torch/RowSelection.h"

#include <algorithm>
#include <cstring>

namespace loss::runtime {

void RowSelection::addRow(int64_t *values, int64_t ignoredValue) {
  Row row{runs.size(), runs.size(), 0};
  for (int64_t place = 0; place < size; ++place) {
    if (values[place] == ignoredValue)
      continue;
    if (row.last == row.first || runs.back().begin + runs.back().length != place) {
      runs.push_back({place, 0});
      ++row.last;
    }
    ++runs.back().length;
    values[row.count++] = values[place];
  }
  std::fill(values + row.count, values + size, 0);
  rows.push_back(row);
}

void RowSelection::gather(int64_t row, char *slab, int64_t outer, int64_t inner,
                          size_t elementSize) const {
  const Row &kept = rows[row];
  const int64_t bytes = inner * static_cast<int64_t>(elementSize);
  // Forward: nothing is overwritten that is still to be read.
  char *to = slab;
  for (int64_t o = 0; o < outer; ++o)
    for (size_t r = kept.first; r < kept.last; ++r) {
      std::memmove(to, slab + (o * size + runs[r].begin) * bytes, runs[r].length * bytes);
      to += runs[r].length * bytes;
    }
}

void RowSelection::scatter(int64_t row, char *slab, int64_t outer, int64_t inner,
                           size_t elementSize) const {
  const Row &kept = rows[row];
  const int64_t bytes = inner * static_cast<int64_t>(elementSize);
  // Backward, for the same reason.
  const char *from = slab + outer * kept.count * bytes;
  for (int64_t o = outer; o-- > 0;) {
    char *const line = slab + o * size * bytes;
    int64_t end = size;
    for (size_t r = kept.last; r-- > kept.first;) {
      const int64_t runEnd = runs[r].begin + runs[r].length;
      std::memset(line + runEnd * bytes, 0, (end - runEnd) * bytes);
      from -= runs[r].length * bytes;
      std::memmove(line + runs[r].begin * bytes, from, runs[r].length * bytes);
      end = runs[r].begin;
    }
    std::memset(line, 0, end * bytes);
  }
}

} // namespace loss::runtime
