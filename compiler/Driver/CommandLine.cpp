//===- CommandLine.cpp - the options of lossc -----------------------------===//

#include "compiler/Driver/CommandLine.h"

#include "compiler/Target/Version.h"
#include "lang/Suggest.h"

#include <CLI/CLI.hpp>

using namespace loss;

namespace {

const std::pair<std::string, EmitKind> emitKinds[] = {
    {"ast", EmitKind::AST},       {"loss", EmitKind::Loss},     {"grad", EmitKind::Grad},
    {"fused", EmitKind::Fused},   {"vector", EmitKind::Vector}, {"llvm", EmitKind::LLVM},
    {"asm", EmitKind::Assembly},  {"obj", EmitKind::Object},    {"so", EmitKind::SharedObject},
    {"header", EmitKind::Header},
};

std::string join(const std::vector<std::string> &names) {
  std::string text;
  for (const std::string &name : names)
    text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::string hint(std::string_view name, const std::vector<std::string> &names) {
  std::string text = lang::didYouMean(name, {names.begin(), names.end()});
  return text.empty() ? text : "; " + text;
}

/// Accepts `names` alone and says what was expected.
CLI::Validator oneOf(std::vector<std::string> names) {
  return CLI::Validator(
      [names](std::string &value) -> std::string {
        if (std::find(names.begin(), names.end(), value) != names.end())
          return {};
        return "expected one of " + join(names) + ", but found '" + value + "'" +
               hint(value, names);
      },
      "");
}

/// What CLI11 found wrong, in our words.
std::string explain(const CLI::App &app, const CLI::ParseError &error) {
  std::string message = error.what();
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError)) {
    std::string word = app.remaining().front();
    if (word.starts_with("-") && word != "-") {
      std::vector<std::string> names;
      for (const CLI::Option *option : app.get_options())
        for (const std::string &name : option->get_lnames())
          names.push_back("--" + name);
      std::string name = word.substr(0, word.find('='));
      std::string nearest = hint(name, names);
      return "unknown option '" + name + "'" + (nearest.empty() ? "; see lossc --help" : nearest);
    }
    return "expected one .loss file, but found another, '" + word + "'";
  }
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ArgumentMismatch)) {
    std::string name = message.substr(0, message.find(':'));
    if (const CLI::Option *option = app.get_option_no_throw(name))
      return "expected " + option->get_type_name() + " after " + name + "; see lossc --help";
  }
  return message;
}

} // namespace

int loss::complain(ExitCode code, const llvm::Twine &message) {
  llvm::errs() << "lossc: error: " << message << "\n";
  return code;
}

std::optional<DriverOptions> loss::parseCommandLine(int argc, char **argv, int &exitCode) {
  DriverOptions options;
  std::string emit = "so";
  std::vector<std::string> kinds, phases;
  for (const auto &[name, kind] : emitKinds)
    kinds.push_back(name);
  for (Phase phase : allPhases())
    phases.push_back(phaseName(phase).str());

  CLI::App app("lossc compiles a loss function written as a formula to a shared library with CPU "
               "kernels for its value and gradient.",
               "lossc");
  app.set_version_flag("--version", "lossc " + compilerVersion(),
                       "Print the version and exit: lossc --version");
  app.set_help_flag("-h,--help", "Print this help and exit: lossc --help");
  app.add_option("file", options.input, "The .loss file, or - for standard input: lossc ngl.loss")
      ->type_name("");
  app.add_option("-o", options.output,
                 "Output file, - for standard output: lossc ngl.loss -o ngl.so")
      ->type_name("FILE");
  app.add_option("--emit", emit,
                 "What to write: ast, loss, grad, fused, vector, llvm, asm, obj, so (default) or "
                 "header: lossc ngl.loss --emit=grad")
      ->check(oneOf(kinds))
      ->type_name("KIND");
  app.add_option("-D", options.defines,
                 "Change the default of a parameter: lossc focal.loss -D gamma=1.5 -o focal.so")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  auto addNames = [&](const char *flag, std::vector<std::string> &values,
                      const std::vector<std::string> &names, const char *type, const char *help) {
    app.add_option(flag, values, help)
        ->check(oneOf(names))
        ->delimiter(',')
        ->type_name(type)
        ->allow_extra_args(false);
  };
  addNames("--level", options.levels, {"v2", "v3", "v4"}, "LEVEL,...",
           "x86-64 feature levels, v2, v3, v4; all for a library, else this processor's best: "
           "lossc ngl.loss --emit=asm --level=v3");
  addNames("--element", options.elements, {"f32", "f64"}, "TYPE,...",
           "Element types of the kernels, f32, f64; both by default: lossc x.loss --element=f32");
  addNames("--target", options.targets, {"index", "dense"}, "KIND,...",
           "Targets of the kernels, index, dense; both by default: lossc x.loss --target=index");
  addNames("--mode", options.modes, {"value", "grad"}, "MODE,...",
           "What the kernels compute, value, grad (value and gradient); both by default: "
           "lossc x.loss --mode=grad");
  app.add_option("--stop-after", options.stopAfter,
                 "Do nothing beyond a phase (" + join(phases) +
                     "), and write no output that needs more: lossc x.loss --stop-after=simplify")
      ->check(oneOf(phases))
      ->type_name("PHASE");
  app.add_option("--dump-phases-to", options.dumpDirectory,
                 "Write the result of each phase to a folder: lossc x.loss --dump-phases-to=phases")
      ->type_name("DIR");
  app.add_flag("--time-phases", options.timePhases,
               "Print what each phase took: lossc x.loss -o x.so --time-phases");
  app.add_flag("--verify-diagnostics", options.verifyDiagnostics,
               "Check the diagnostics against expected-error comments in the file: "
               "lossc bad.loss --verify-diagnostics");
  app.add_option("--describe", options.describe,
                 "Print what a compiled module contains: lossc --describe ngl.so")
      ->type_name("MODULE");
  app.footer(
      "Exit codes: 0 done, 1 the program text is wrong, 2 the command line is wrong, 3 a file "
      "cannot be read or written, 70 a bug of the compiler.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success &request) {
    exitCode = app.exit(request);
    return std::nullopt;
  } catch (const CLI::ParseError &error) {
    exitCode = complain(exitUsage, explain(app, error));
    return std::nullopt;
  }
  if (options.describe.empty() && options.input.empty()) {
    exitCode = complain(exitUsage, "expected a .loss file, but found none; see lossc --help");
    return std::nullopt;
  }
  if (!options.describe.empty() && !options.input.empty()) {
    exitCode = complain(exitUsage, "expected --describe alone, but found the file '" +
                                       options.input + "' too");
    return std::nullopt;
  }
  for (const auto &[name, kind] : emitKinds)
    if (name == emit)
      options.emit = kind;
  return options;
}
