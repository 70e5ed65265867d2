//===- Lossc.h - the command line of lossc as a function --------*- C++ -*-===//
//
// This header shows no LLVM or MLIR type.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_COMPILER_DRIVER_LOSSC_H
#define LOSSLANG_COMPILER_DRIVER_LOSSC_H

namespace loss {

/// lossc's main. Returns its exit code.
int runLossc(int argc, char **argv);

} // namespace loss

#endif // LOSSLANG_COMPILER_DRIVER_LOSSC_H
