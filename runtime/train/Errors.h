//===- Errors.h - what a training can fail with -----------------*- C++ -*-===//
#ifndef LOSSLANG_RUNTIME_TRAIN_ERRORS_H
#define LOSSLANG_RUNTIME_TRAIN_ERRORS_H

#include <stdexcept>

namespace loss::runtime {

/// A value of the configuration makes no sense. what() is one line.
class ConfigError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A file could not be written or a checkpoint not be read. what() is one line.
class StorageError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

} // namespace loss::runtime

#endif // LOSSLANG_RUNTIME_TRAIN_ERRORS_H
