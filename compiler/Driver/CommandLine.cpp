//===- CommandLine.cpp - the options of lossc -----------------------------===//

#include "compiler/Driver/CommandLine.h"

#include "compiler/Target/Version.h"
#include "lang/Suggest.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"

#include <CLI/CLI.hpp>

using namespace loss;

namespace {

const std::pair<std::string, EmitKind> emitKinds[] = {
    {"ast", EmitKind::AST},       {"loss", EmitKind::Loss},     {"grad", EmitKind::Grad},
    {"fused", EmitKind::Fused},   {"vector", EmitKind::Vector}, {"llvm", EmitKind::LLVM},
    {"asm", EmitKind::Assembly},  {"obj", EmitKind::Object},    {"so", EmitKind::SharedObject},
    {"header", EmitKind::Header}, {"latex", EmitKind::Latex},   {"explain", EmitKind::Explain},
};

const std::pair<std::string, Command> commands[] = {
    {"check", Command::Check},
    {"fmt", Command::Format},
    {"grad", Command::Grad},
    {"doc", Command::Doc},
};

std::string join(const std::vector<std::string> &names) { return llvm::join(names, ", "); }

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

/// "lossc --help", "lossc check --help".
std::string helpOf(const CLI::App &app) {
  return (app.get_parent() ? "lossc " + app.get_name() : "lossc") + " --help";
}

/// What CLI11 found wrong with the words of `app`, lossc or one of its commands, in our words.
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
      return "unknown option '" + name + "'" + (nearest.empty() ? "; see " + helpOf(app) : nearest);
    }
    return "expected one .loss file, but found another, '" + word + "'";
  }
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ArgumentMismatch)) {
    std::string name = message.substr(0, message.find(':'));
    if (const CLI::Option *option = app.get_option_no_throw(name))
      return "expected " + option->get_type_name() + " after " + name + "; see " + helpOf(app);
  }
  return message;
}

/// A word that is neither a command nor a file: what it may have been meant for, or nothing.
std::string unknownCommand(const std::string &word) {
  bool isName = llvm::all_of(word, [](char c) { return llvm::isAlnum(c) || c == '-'; });
  if (!isName || word == "-" || llvm::sys::fs::exists(word))
    return {};
  std::vector<std::string> names;
  for (const auto &[name, command] : commands)
    names.push_back(name);
  std::string nearest = hint(word, names);
  return "unknown command '" + word + "'" +
         (nearest.empty() ? "; expected a .loss file or one of " + join(names) : nearest);
}

/// The options of lossc and its commands, bound to a DriverOptions.
class CommandLine {
public:
  CommandLine();
  /// Nothing when the program is to end with `exitCode`.
  bool parse(int argc, char **argv, int &exitCode);

  DriverOptions options;

private:
  void addCompileOptions();
  void addCheck();
  void addFormat();
  void addGrad();
  void addDoc();
  CLI::App *addCommand(Command command, const char *description);
  void addPaths(CLI::App *command, const char *help);
  void addNames(const char *flag, std::vector<std::string> &values,
                const std::vector<std::string> &names, const char *type, const char *help);
  void addDefines(CLI::App &command, const char *help);
  void addWarnings(CLI::App &command, const char *help);
  /// What is wrong with the options as a whole, or nothing.
  std::string finish();
  /// The options that were given and change nothing, as an error, or nothing.
  std::string findUnused() const;
  std::string findUnusedOfCompile() const;
  std::string findUnusedBefore(const CLI::App &command) const;
  std::string readDefines();

  CLI::App app;
  std::string emit = "so", format = "text";
  std::vector<std::string> warningTexts;
  bool listsWarnings = false;
};

CommandLine::CommandLine()
    : app("lossc compiles a loss function written as a formula to a shared library with CPU "
          "kernels for its value and gradient.",
          "lossc") {
  app.set_version_flag("--version", "lossc " + compilerVersion(),
                       "Print the version and exit: lossc --version");
  app.set_help_flag("-h,--help", "Print this help and exit: lossc --help");
  app.require_subcommand(0, 1);
  addCompileOptions();
  addCheck();
  addFormat();
  addGrad();
  addDoc();
  app.footer(
      "Exit codes: 0 done, 1 the program text is wrong, 2 the command line is wrong, 3 a file "
      "cannot be read or written, 70 a bug of the compiler.");
}

void CommandLine::addNames(const char *flag, std::vector<std::string> &values,
                           const std::vector<std::string> &names, const char *type,
                           const char *help) {
  app.add_option(flag, values, help)
      ->check(oneOf(names))
      ->delimiter(',')
      ->type_name(type)
      ->allow_extra_args(false);
}

void CommandLine::addDefines(CLI::App &command, const char *help) {
  command.add_option("-D", options.defineTexts, help)
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
}

void CommandLine::addWarnings(CLI::App &command, const char *help) {
  command.add_option("-W", warningTexts, help)->type_name("WARNING")->allow_extra_args(false);
}

void CommandLine::addCompileOptions() {
  std::vector<std::string> kinds, phases;
  for (const auto &[name, kind] : emitKinds)
    kinds.push_back(name);
  for (Phase phase : allPhases())
    phases.push_back(phaseName(phase).str());

  app.add_option("file", options.input, "The .loss file, or - for standard input: lossc ngl.loss")
      ->type_name("");
  app.add_option("-o", options.output,
                 "Output file, - for standard output: lossc ngl.loss -o ngl.so")
      ->type_name("FILE");
  app.add_option("--emit", emit,
                 "What to write: ast, loss, grad, fused, vector, llvm, asm, obj, so (default), "
                 "header, latex or explain: lossc ngl.loss --emit=grad")
      ->check(oneOf(kinds))
      ->type_name("KIND");
  addDefines(app, "Change the default of a parameter, or set an option of the loss: "
                  "lossc focal.loss -D gamma=1.5 -o focal.so");
  addNames("--level", options.levels, {"v2", "v3", "v4"}, "LEVEL,...",
           "x86-64 feature levels, v2, v3, v4; all for a library, else this processor's best: "
           "lossc ngl.loss --emit=asm --level=v3");
  addNames("--element", options.elements, {"f32", "f64"}, "TYPE,...",
           "Element types of the kernels, f32, f64; both by default: lossc x.loss --element=f32");
  addNames("--target", options.targets, {"index", "dense"}, "KIND,...",
           "Targets of the kernels, index, dense; both by default: lossc x.loss --target=index");
  addNames(
      "--mode", options.modes, {"value", "grad", "all", "tangent", "tangent_all"}, "MODE,...",
      "What the kernels compute: value, grad (and the gradients of the inputs), all (and those "
      "of parameters, fixed inputs and dense targets), tangent and tangent_all (the second order "
      "of "
      "grad and of all); the first three by default: lossc x.loss --mode=grad");
  app.add_flag("--plain", options.plain,
               "Without the kernels that serve label smoothing and class weights: "
               "lossc x.loss --plain -o x.so");
  app.add_option("--order", options.order,
                 "Highest order of derivatives, 1 or 2, of what the modes give gradients for: "
                 "lossc mse.loss --order=2 -o mse.so")
      ->check(CLI::Range(1, 2))
      ->type_name("N");
  app.add_flag("--explain", options.explain,
               "Say what each kernel reads, reduces and writes in which pass, and why: short for "
               "--emit=explain -o - --element=f32: lossc dice.loss --explain");
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
  addWarnings(app, "-Werror: warnings are errors; -Wno-NAME: without that warning: "
                   "lossc x.loss -Werror -Wno-unused-name");
  app.add_flag("--list-warnings", listsWarnings,
               "Print the names of the warnings: lossc --list-warnings");
  app.add_option("--describe", options.describe,
                 "Print what a compiled module contains: lossc --describe ngl.so")
      ->type_name("MODULE");
}

CLI::App *CommandLine::addCommand(Command command, const char *description) {
  for (const auto &[name, which] : commands)
    if (which == command) {
      CLI::App *added = app.add_subcommand(name, description);
      added->set_help_flag("-h,--help", "Print this help and exit: lossc " + name + " --help");
      added->callback([this, which = which] { options.command = which; });
      return added;
    }
  llvm_unreachable("every command has a name");
}

void CommandLine::addPaths(CLI::App *command, const char *help) {
  command->add_option("paths", options.paths, help)->type_name("")->option_text("PATH...");
}

void CommandLine::addCheck() {
  CLI::App *check = addCommand(Command::Check, "Report what is wrong with losses; write nothing: "
                                               "lossc check stdlib/");
  addPaths(check, ".loss files, folders of them, or - for standard input: lossc check a.loss b/");
  check
      ->add_option("--format", format,
                   "How to report: text (default), or json on standard output: "
                   "lossc check --format=json stdlib/")
      ->check(oneOf({"text", "json"}))
      ->type_name("FORMAT");
  addDefines(*check, "As when compiling: lossc check focal.loss -D gamma=1.5");
  addWarnings(*check, "-Werror: warnings are errors; -Wno-NAME: without that warning: "
                      "lossc check -Werror stdlib/");
  check->add_flag("--verify-diagnostics", options.verifyDiagnostics,
                  "Check the diagnostics against expected-error comments in each file: "
                  "lossc check --verify-diagnostics bad.loss");
  check->add_flag("--check-gradients", options.checkGradients,
                  "Also compare every gradient, and those of 'derivative' lines, with numeric "
                  "differentiation: lossc check --check-gradients focal.loss");
}

void CommandLine::addFormat() {
  CLI::App *fmt =
      addCommand(Command::Format, "Bring losses into the one layout, in place: lossc fmt stdlib/");
  addPaths(fmt, ".loss files, folders of them, or - for standard input to standard output: "
                "lossc fmt a.loss b/");
  CLI::Option *check =
      fmt->add_flag("--check", options.onlyCheck,
                    "Write nothing; name the files whose layout is another, and "
                    "exit with code 1 if there are any: lossc fmt --check stdlib/");
  fmt->add_flag("--stdout", options.toStandardOutput,
                "Write the text to standard output and leave the files alone: "
                "lossc fmt --stdout a.loss")
      ->excludes(check);
}

void CommandLine::addGrad() {
  CLI::App *grad = addCommand(Command::Grad, "Print the gradient of a loss as a program of the "
                                             "language: lossc grad focal.loss");
  grad->add_option("file", options.input, "The .loss file, or - for standard input")->type_name("");
  grad->add_option("--wrt", options.wrt,
                   "The input or parameter to differentiate by; without it the input that has a "
                   "gradient: lossc grad focal.loss --wrt=gamma")
      ->type_name("NAME");
  grad->add_option("-o", options.output,
                   "Output file instead of standard output: lossc grad focal.loss -o grad.loss")
      ->type_name("FILE");
  addDefines(*grad, "As when compiling: lossc grad focal.loss -D gamma=1.5");
}

void CommandLine::addDoc() {
  CLI::App *doc =
      addCommand(Command::Doc, "Write a page about each loss: formula, inputs, parameters, plot: "
                               "lossc doc stdlib/ -o pages");
  addPaths(doc, ".loss files, or folders of them: lossc doc a.loss stdlib/ -o pages");
  doc->add_option("-o", options.output,
                  "Folder for the pages, which is made: lossc doc a.loss -o d")
      ->type_name("DIR");
  doc->add_option("--gallery", options.gallery,
                  "Write one page with the formulas of all of them, by family: "
                  "lossc doc stdlib/ --gallery losses.md")
      ->type_name("FILE");
}

std::string CommandLine::readDefines() {
  for (const std::string &text : options.defineTexts) {
    std::string error;
    std::optional<lang::Override> value = lang::parseOverride(text, error);
    if (!value)
      return "-D " + text + ": " + error;
    for (const lang::Override &other : options.defines)
      if (other.name == value->name)
        return "-D " + text + ": '" + value->name + "' was given twice";
    options.defines.push_back(*value);
  }
  return {};
}

/// Whether an option of `app` is on the command line.
static bool given(const CLI::App &app, const char *name) {
  const CLI::Option *option = app.get_option_no_throw(name);
  return option && option->count() > 0;
}

std::string CommandLine::findUnusedOfCompile() const {
  // Each acts in a phase, and on nothing before it.
  static const std::pair<const char *, Phase> actsIn[] = {
      {"--mode", Phase::Differentiate},  {"--order", Phase::Differentiate},
      {"--plain", Phase::Differentiate}, {"--element", Phase::Specialise},
      {"--target", Phase::Specialise},   {"--level", Phase::Vector},
  };
  Phase last = lastPhaseFor(options.emit);
  std::string output = "--emit=" + emit;
  if (options.explain)
    output = "--explain";
  if (!options.stopAfter.empty() && *phaseByName(options.stopAfter) < last) {
    last = *phaseByName(options.stopAfter);
    output = "--stop-after=" + options.stopAfter;
  }
  for (const auto &[name, phase] : actsIn)
    if (given(app, name) && phase > last)
      return std::string(name) + " changes nothing in what " + output + " asks for";
  // The text as it is written, and declarations that are those of every value.
  if (given(app, "-D") && !output.starts_with("--stop-after") &&
      (options.emit == EmitKind::AST || options.emit == EmitKind::Header))
    return "-D changes nothing in what " + output + " asks for";
  if (options.explain && given(app, "--emit") && emit != "explain")
    return "--explain and --emit=" + emit + " ask for different outputs";
  for (const std::string &mode : options.modes)
    if (given(app, "--order") && options.order == 1 && mode.starts_with("tangent"))
      return "--order=1 excludes --mode=" + mode;
  if (options.verifyDiagnostics)
    for (const char *name : {"-W", "-o"})
      if (given(app, name))
        return std::string(name) + " changes nothing in what --verify-diagnostics reports";
  return {};
}

/// What stands in front of a command; the options that both have are the same.
std::string CommandLine::findUnusedBefore(const CLI::App &command) const {
  for (const CLI::Option *option : app.get_options())
    // One that stands on both sides has the value behind the command alone.
    if (option->count() &&
        (option->get_positional() || given(command, option->get_name().c_str()) ||
         !command.get_option_no_throw(option->get_name())))
      return "expected '" + command.get_name() + "' and its options, but found " +
             (option->get_positional() ? "'" + options.input + "'" : option->get_name()) +
             " before it; see " + helpOf(command);
  return {};
}

std::string CommandLine::findUnused() const {
  for (const char *alone : {"--describe", "--list-warnings"})
    if (given(app, alone)) {
      for (const CLI::Option *option : app.get_options())
        if (option->count() && option->get_name() != alone)
          return std::string("expected ") + alone + " alone, but found " +
                 (option->get_positional() ? "the file '" + options.input + "'"
                                           : option->get_name()) +
                 " too";
      if (!app.get_subcommands().empty())
        return std::string("expected ") + alone + " alone, but found '" +
               app.get_subcommands().front()->get_name() + "' too";
    }
  if (app.get_subcommands().empty())
    return findUnusedOfCompile();
  const CLI::App &command = *app.get_subcommands().front();
  if (options.command == Command::Check && options.verifyDiagnostics)
    for (const char *name : {"-W", "--format"})
      if (given(command, name) || given(app, name))
        return std::string(name) + " changes nothing in what --verify-diagnostics reports";
  return findUnusedBefore(command);
}

std::string CommandLine::finish() {
  for (const auto &[name, kind] : emitKinds)
    if (name == emit)
      options.emit = kind;
  if (options.explain) {
    options.emit = EmitKind::Explain;
    if (options.elements.empty())
      options.elements = {"f32"};
  }
  options.asJson = format == "json";
  for (const std::string &text : warningTexts)
    if (std::string error = addWarningOption(text, options.warnings); !error.empty())
      return error;
  if (std::string error = readDefines(); !error.empty())
    return error;
  if (std::string error = findUnused(); !error.empty())
    return error;
  if (listsWarnings)
    options.command = Command::ListWarnings;
  switch (options.command) {
  case Command::ListWarnings:
    return {};
  case Command::Compile:
    if (!options.describe.empty()) {
      options.command = Command::Describe;
      return {};
    }
    if (options.input.empty())
      return "expected a .loss file, but found none; see lossc --help";
    return unknownCommand(options.input);
  case Command::Grad:
    return options.input.empty() ? "expected a .loss file, but found none; see lossc grad --help"
                                 : "";
  case Command::Doc:
    if (options.output.empty() && options.gallery.empty())
      return "expected -o and a folder for the pages, or --gallery; see lossc doc --help";
    [[fallthrough]];
  default:
    return options.paths.empty() ? "expected .loss files or folders of them, but found none; see " +
                                       helpOf(*app.get_subcommands().front())
                                 : "";
  }
}

bool CommandLine::parse(int argc, char **argv, int &exitCode) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success &request) {
    exitCode = app.exit(request);
    return false;
  } catch (const CLI::ParseError &error) {
    // The parser stops in the middle: the words after a mistyped command may be what it trips over.
    std::string message = unknownCommand(options.input);
    if (message.empty() || options.input.empty()) {
      std::vector<CLI::App *> used = app.get_subcommands();
      message = explain(used.empty() ? app : *used.front(), error);
    }
    exitCode = complain(exitUsage, message);
    return false;
  }
  if (std::string message = finish(); !message.empty()) {
    exitCode = complain(exitUsage, message);
    return false;
  }
  return true;
}

} // namespace

int loss::complain(ExitCode code, const llvm::Twine &message) {
  llvm::errs() << "lossc: error: " << message << "\n";
  return code;
}

std::optional<DriverOptions> loss::parseCommandLine(int argc, char **argv, int &exitCode) {
  CommandLine line;
  if (!line.parse(argc, argv, exitCode))
    return std::nullopt;
  return std::move(line.options);
}
