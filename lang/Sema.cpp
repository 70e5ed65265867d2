//===- Sema.cpp - the steps of semantic analysis --------------------------===//
#include "lang/Sema.h"

#include "lang/Builtins.h"
#include "lang/Lint.h"
#include "lang/Parser.h"
#include "lang/SemaDetail.h"
#include "lang/Suggest.h"

#include <charconv>
#include <cmath>

namespace loss::lang {

namespace detail {

std::optional<ConstantValue> evaluateConstant(const Expr &expr) {
  if (expr.kind == ExprKind::Number)
    return ConstantValue{expr.number, false};
  if (expr.kind == ExprKind::Name) {
    const BuiltinConstant *constant = findBuiltinConstant(expr.text);
    return constant ? std::optional(ConstantValue{constant->value, constant->isBool})
                    : std::nullopt;
  }
  if (expr.kind != ExprKind::Unary && expr.kind != ExprKind::Binary)
    return std::nullopt;
  std::optional<ConstantValue> lhs = evaluateConstant(*expr.operands[0]);
  if (!lhs || lhs->isBool)
    return std::nullopt;
  if (expr.kind == ExprKind::Unary)
    return expr.unary == UnaryOp::Neg ? std::optional(ConstantValue{-lhs->value, false})
                                      : std::nullopt;
  std::optional<ConstantValue> rhs = evaluateConstant(*expr.operands[1]);
  if (!rhs || rhs->isBool)
    return std::nullopt;
  double x = lhs->value, y = rhs->value;
  switch (expr.binary) {
  case BinaryOp::Add:
    return ConstantValue{x + y, false};
  case BinaryOp::Sub:
    return ConstantValue{x - y, false};
  case BinaryOp::Mul:
    return ConstantValue{x * y, false};
  case BinaryOp::Div:
    return ConstantValue{x / y, false};
  case BinaryOp::Pow:
    return ConstantValue{std::pow(x, y), false};
  default:
    return std::nullopt;
  }
}

std::string spell(ConstantValue value) {
  if (value.isBool)
    return value.value != 0 ? "true" : "false";
  char buffer[64];
  return std::string(buffer, std::to_chars(buffer, buffer + sizeof buffer, value.value).ptr);
}

std::string countOf(size_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

} // namespace detail

std::optional<Override> parseOverride(std::string_view text, std::string &error) {
  size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    error = "expected param=value, but found '" + std::string(text) + "'";
    return std::nullopt;
  }
  Override result;
  result.name = text.substr(0, equals);
  std::string_view digits = text.substr(equals + 1);
  if (digits == "true" || digits == "false") {
    result.isBool = true;
    result.value = digits == "true";
    return result;
  }
  auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), result.value);
  if (status != std::errc() || end != digits.data() + digits.size() ||
      !std::isfinite(result.value)) {
    error = "expected a number as the value of '" + result.name + "', but found '" +
            std::string(digits) + "'";
    return std::nullopt;
  }
  return result;
}

namespace {

/// Puts the values of `-D` in the place of what the file says.
class Overrides {
public:
  Overrides(const std::vector<Override> &overrides, DiagnosticEngine &diagnostics)
      : overrides(overrides), diagnostics(diagnostics) {}

  /// Before the body is read: it may depend on them.
  void applyToOptions(detail::Definitions &definitions) {
    for (const Override &override : overrides)
      if (const LossArg *arg = findArg(*definitions.loss, override))
        if (arg->kind == LossArg::Kind::Option)
          applyToOption(*arg, override, definitions);
  }

  void applyToParams(Program &program) {
    for (const Override &override : overrides)
      for (ProgramParam &param : program.params)
        if (param.name == override.name)
          applyToParam(param, override);
  }

private:
  const LossArg *findArg(const LossDef &loss, const Override &override) {
    std::vector<std::string_view> names;
    for (const LossArg &arg : loss.args) {
      if (arg.isInput())
        continue;
      if (arg.name.name == override.name)
        return &arg;
      names.push_back(arg.name.name);
    }
    if (!loss.headComplete)
      return nullptr;
    Diagnostic &diagnostic = diagnostics.error(
        loss.name.range,
        "the loss '" + loss.name.name + "' has no parameter or option '" + override.name + "'");
    diagnostic.hint = didYouMean(override.name, names);
    return nullptr;
  }

  void applyToOption(const LossArg &arg, const Override &override,
                     detail::Definitions &definitions) {
    auto option = definitions.options.find(arg.name.name);
    if (option == definitions.options.end())
      return;
    const detail::Limits &limits = definitions.limits[arg.name.name];
    if (option->second.isBool == override.isBool && limits.allow(override.value)) {
      option->second.value = override.value;
      return;
    }
    diagnostics.error(arg.name.range,
                      "expected " + (option->second.isBool ? "true or false" : limits.inWords()) +
                          " as the value of the option '" + arg.name.name + "', but found " +
                          detail::spell({override.value, override.isBool}));
  }

  void applyToParam(ProgramParam &param, const Override &override) {
    const detail::Limits limits = {{param.constraint}, {}};
    if (!override.isBool && limits.allow(override.value)) {
      param.defaultValue = override.value;
      return;
    }
    diagnostics.error(param.range, "expected " + limits.inWords() +
                                       " as the value of the parameter '" + param.name +
                                       "', but found " +
                                       detail::spell({override.value, override.isBool}));
  }

  const std::vector<Override> &overrides;
  DiagnosticEngine &diagnostics;
};

std::optional<Program> analyzeUnsorted(const File &file, DiagnosticEngine &diagnostics,
                                       const std::vector<Override> &overrides) {
  if (file.abandoned)
    return std::nullopt;
  detail::Definitions definitions(file);
  detail::readSignatures(definitions, diagnostics);
  Overrides settings(overrides, diagnostics);
  if (definitions.loss)
    settings.applyToOptions(definitions);
  detail::resolve(definitions, diagnostics);
  if (!definitions.axesKnown || diagnostics.errorCount() >= maxErrors)
    return std::nullopt;
  std::optional<Program> program = detail::inlineAndType(definitions, diagnostics);
  if (!program)
    return std::nullopt;
  settings.applyToParams(*program);
  if (diagnostics.hasErrors())
    return std::nullopt;
  program->file = diagnostics.file();
  for (const SourceFile &source : diagnostics.files())
    program->files.push_back(source.name);
  lint(*program, diagnostics);
  return program;
}

} // namespace

std::optional<Program> analyze(const File &file, DiagnosticEngine &diagnostics,
                               const std::vector<Override> &overrides) {
  std::optional<Program> program = analyzeUnsorted(file, diagnostics, overrides);
  diagnostics.sort();
  return program;
}

std::optional<Program> parseProgram(std::string_view text, DiagnosticEngine &diagnostics,
                                    const std::vector<Override> &overrides) {
  return analyze(parse(text, diagnostics), diagnostics, overrides);
}

} // namespace loss::lang
