//===- Fuzz.h - what the fuzz targets share ---------------------*- C++ -*-===//
#ifndef LOSSLANG_TEST_FUZZ_FUZZ_H
#define LOSSLANG_TEST_FUZZ_FUZZ_H

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace loss::fuzz {

/// Ends the process with a report that libFuzzer keeps the input of, unless `holds`.
inline void require(bool holds, const char *what, const std::string &details = {}) {
  if (holds)
    return;
  std::fprintf(stderr, "fuzzing: expected %s\n%s\n", what, details.c_str());
  std::abort();
}

} // namespace loss::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif // LOSSLANG_TEST_FUZZ_FUZZ_H
