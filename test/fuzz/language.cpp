//===- language.cpp - fuzzing: any text is a program or has errors --------===//
//
// Lexer, parser, semantic analysis, printer and messages. Any text gives either a typed program or
// at least one error; a text without syntax errors is printed in a form that reads back as itself.
//
//===----------------------------------------------------------------------===//

#include "test/fuzz/Fuzz.h"

#include "lang/AstPrinter.h"
#include "lang/Parser.h"
#include "lang/Sema.h"

using namespace loss::lang;
using loss::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string text(reinterpret_cast<const char *>(data), size);
  DiagnosticEngine diagnostics("fuzz.loss");
  diagnostics.setText(text);
  File file = parse(text, diagnostics);
  require(file.complete == !diagnostics.hasErrors(), "errors where the syntax is wrong");
  // Analysis takes what could be read of a broken file, too. Imports are not followed here.
  std::optional<Program> program = analyze(file, diagnostics);
  require(program.has_value() == !diagnostics.hasErrors(), "a program or errors");
  for (const Diagnostic &diagnostic : diagnostics.diagnostics())
    require(!diagnostic.message.starts_with("internal error"), "no internal error",
            diagnostic.message);
  render(diagnostics);
  if (program)
    dump(*program);

  if (!file.complete)
    return 0;
  std::string once = print(file);
  DiagnosticEngine again("again.loss");
  File reparsed = parse(once, again);
  require(reparsed.complete, "a printed program that can be read", once);
  require(print(reparsed) == once, "a printed program that prints as itself", once);
  return 0;
}
