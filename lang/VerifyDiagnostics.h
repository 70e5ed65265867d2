//===- VerifyDiagnostics.h - expected-error comments ------------*- C++ -*-===//
//
// Test files say in comments which diagnostics they produce:
//
//   let x = logit   // expected-error {{unknown name 'logit'}}
//   // expected-error@+1 {{unknown function}}
//   let y = f(x)
//
// Kinds: expected-error, expected-warning, expected-note, expected-hint. Places: nothing (this
// line), @+N, @-N, @N (line N), @above, @below, @unknown (no place). The text in braces must be
// part of the message. Every error and warning must be expected; notes and hints may be. Comments
// of imported files speak of these files.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_LANG_VERIFYDIAGNOSTICS_H
#define LOSSLANG_LANG_VERIFYDIAGNOSTICS_H

#include "lang/Diagnostic.h"

namespace loss::lang {

/// Compares the diagnostics of a program with what the comments of its text, and of the files that
/// it imports, expect. Returns the differences, which are empty when the test passes.
std::vector<Diagnostic> verifyDiagnostics(std::string_view source, const DiagnosticEngine &engine);

} // namespace loss::lang

#endif // LOSSLANG_LANG_VERIFYDIAGNOSTICS_H
