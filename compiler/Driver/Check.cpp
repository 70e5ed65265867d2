//===- Check.cpp - lossc check --------------------------------------------===//

#include "compiler/Driver/CommandLine.h"
#include "compiler/Driver/Files.h"

#include "lang/Messages.h"
#include "lang/VerifyDiagnostics.h"

#include "llvm/Support/JSON.h"

using namespace loss;

namespace {

/// One object of the schema in docs/lossc.md.
class JsonReport {
public:
  void addFile() { ++files; }

  void add(const lang::Diagnostic &diagnostic, const lang::DiagnosticEngine &engine) {
    const lang::Message *message = lang::findMessage(diagnostic);
    std::string name = message ? std::string(message->name) : diagnostic.name;
    llvm::json::Array notes;
    for (const lang::DiagnosticNote &note : diagnostic.notes)
      notes.push_back(llvm::json::Object{{"file", engine.files()[note.range.file].name},
                                         {"range", range(note.range)},
                                         {"message", note.message}});
    diagnostics.push_back(
        llvm::json::Object{{"file", diagnostic.file},
                           {"range", range(diagnostic.range)},
                           {"severity", lang::severityName(diagnostic.severity).data()},
                           {"id", orNull(name)},
                           {"message", diagnostic.message},
                           {"hint", orNull(diagnostic.hint)},
                           {"notes", std::move(notes)}});
    (diagnostic.severity == lang::Severity::Error ? errors : warnings) += 1;
  }

  std::string text() {
    llvm::json::Value report = llvm::json::Object{{"version", 1},
                                                  {"files", files},
                                                  {"errors", errors},
                                                  {"warnings", warnings},
                                                  {"diagnostics", std::move(diagnostics)}};
    return llvm::formatv("{0:2}\n", report).str();
  }

private:
  static llvm::json::Value orNull(const std::string &text) {
    return text.empty() ? llvm::json::Value(nullptr) : llvm::json::Value(text);
  }

  static llvm::json::Value position(lang::SourcePos position) {
    return llvm::json::Object{{"line", position.line}, {"column", position.column}};
  }

  static llvm::json::Value range(const lang::SourceRange &range) {
    if (!range.begin.isValid())
      return nullptr;
    // A message that knows its beginning alone.
    lang::SourcePos end = range.end.isValid() ? range.end : range.begin;
    return llvm::json::Object{{"start", position(range.begin)}, {"end", position(end)}};
  }

  int64_t files = 0, errors = 0, warnings = 0;
  llvm::json::Array diagnostics;
};

} // namespace

int loss::checkFiles(const DriverOptions &options) {
  int exitCode = exitSuccess;
  PipelineContext context;
  JsonReport report;
  PipelineOptions pipeline;
  pipeline.overrides = options.defines;
  // What lies behind the fused kernels depends on the processor, not on the program.
  pipeline.stopAfter = Phase::Fuse;
  for (const SourceFile &source : readSources(options.paths, exitCode)) {
    // Functions are checked where a loss imports them: what they mean depends on the call.
    if (isFunctionFile(source)) {
      report.addFile();
      continue;
    }
    Compilation compilation =
        context.compile(source.text, source.name, pipeline, /*descriptorInLevel=*/false);
    if (!compilation.failure.empty() && !compilation.diagnostics.hasErrors())
      exitCode = complain(exitInternal, source.name + ": " + compilation.failure);
    if (options.checkGradients && compilation.succeeded())
      checkGradients(source, options.defines, context, compilation.diagnostics);
    if (options.verifyDiagnostics) {
      std::vector<lang::Diagnostic> complaints =
          lang::verifyDiagnostics(source.text, compilation.diagnostics);
      llvm::errs() << lang::render(complaints, compilation.diagnostics.files());
      if (!complaints.empty())
        exitCode = std::max<int>(exitCode, exitCompileError);
      continue;
    }
    report.addFile();
    std::vector<lang::Diagnostic> shown =
        applyWarningOptions(compilation.diagnostics, options.warnings);
    if (hasErrors(shown))
      exitCode = std::max<int>(exitCode, exitCompileError);
    if (options.asJson)
      for (const lang::Diagnostic &diagnostic : shown)
        report.add(diagnostic, compilation.diagnostics);
    else
      llvm::errs() << renderNamed(shown, compilation.diagnostics);
  }
  if (options.asJson && !options.verifyDiagnostics)
    if (int code = writeOutput("-", report.text()))
      return code;
  return exitCode;
}
