//===- Reduce.h - smaller programs that still fail --------------*- C++ -*-===//
#ifndef LOSSLANG_TEST_RANDOM_REDUCE_H
#define LOSSLANG_TEST_RANDOM_REDUCE_H

#include <functional>
#include <string>

namespace loss::stress {

/// The smallest program found for which `stillFails` holds: definitions and inputs are dropped, and
/// expressions replaced by their operands and by numbers, as long as any such step succeeds.
/// `stillFails` sees texts that need not be well-typed.
std::string reduce(const std::string &text,
                   const std::function<bool(const std::string &)> &stillFails);

} // namespace loss::stress

#endif // LOSSLANG_TEST_RANDOM_REDUCE_H
