//===- Report.h - rows of the benchmark table -------------------*- C++ -*-===//
//
// Each benchmark program prints rows, one a line, their cells separated by tabs: what was measured,
// the value with its unit, what is required, and "ok" or "MISSED". `./dev bench` makes the table.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_TEST_BENCH_REPORT_H
#define LOSSLANG_TEST_BENCH_REPORT_H

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

namespace loss::bench {

/// Three significant digits, and whole numbers from 1000 on.
inline std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, value >= 1000 || value <= -1000 ? "%.0f" : "%.3g", value);
  return text;
}

inline void row(const std::string &measure, double value, const std::string &unit,
                const std::string &required, const char *verdict) {
  std::printf("%s\t%s %s\t%s\t%s\n", measure.c_str(), number(value).c_str(), unit.c_str(),
              required.c_str(), verdict);
  std::fflush(stdout);
}

/// A row with nothing required: a figure to compare others with.
inline void info(const std::string &measure, double value, const std::string &unit) {
  row(measure, value, unit, "", "");
}

/// A row whose value must be `bound` or more.
inline void atLeast(const std::string &measure, double value, const std::string &unit,
                    double bound) {
  row(measure, value, unit, "at least " + number(bound) + " " + unit,
      value >= bound ? "ok" : "MISSED");
}

/// A row whose value must be `bound` or less.
inline void atMost(const std::string &measure, double value, const std::string &unit,
                   double bound) {
  row(measure, value, unit, "at most " + number(bound) + " " + unit,
      value <= bound ? "ok" : "MISSED");
}

/// Seconds that `body` takes.
template <typename Body> double timed(Body &&body) {
  auto start = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  size_t n = values.size();
  return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

/// A line "Key:   123 ..." of /proc/self/status, as a number (memory in kB); -1 without it.
inline long processStatus(const std::string &key) {
  long found = -1;
  if (std::FILE *file = std::fopen("/proc/self/status", "r")) {
    char line[256];
    while (std::fgets(line, sizeof line, file))
      if (std::string(line).rfind(key + ":", 0) == 0)
        std::sscanf(line + key.size() + 1, "%ld", &found);
    std::fclose(file);
  }
  return found;
}

} // namespace loss::bench

#endif // LOSSLANG_TEST_BENCH_REPORT_H
