//===- Sema.cpp - the steps of semantic analysis --------------------------===//
#include "lang/Sema.h"

#include "lang/Builtins.h"
#include "lang/Parser.h"
#include "lang/SemaDetail.h"
#include "lang/Suggest.h"

#include <charconv>
#include <cmath>

namespace loss::lang {

namespace detail {

std::optional<double> evaluateConstant(const Expr &expr) {
  if (expr.kind == ExprKind::Number)
    return expr.number;
  if (expr.kind == ExprKind::Name) {
    const BuiltinConstant *constant = findBuiltinConstant(expr.text);
    return constant ? std::optional(constant->value) : std::nullopt;
  }
  if (expr.kind != ExprKind::Unary && expr.kind != ExprKind::Binary)
    return std::nullopt;
  std::optional<double> lhs = evaluateConstant(*expr.operands[0]);
  if (!lhs)
    return std::nullopt;
  if (expr.kind == ExprKind::Unary)
    return expr.unary == UnaryOp::Neg ? std::optional(-*lhs) : std::nullopt;
  std::optional<double> rhs = evaluateConstant(*expr.operands[1]);
  if (!rhs)
    return std::nullopt;
  switch (expr.binary) {
  case BinaryOp::Add:
    return *lhs + *rhs;
  case BinaryOp::Sub:
    return *lhs - *rhs;
  case BinaryOp::Mul:
    return *lhs * *rhs;
  case BinaryOp::Div:
    return *lhs / *rhs;
  case BinaryOp::Pow:
    return std::pow(*lhs, *rhs);
  default:
    return std::nullopt;
  }
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
  auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), result.value);
  if (status != std::errc() || end != digits.data() + digits.size() ||
      !std::isfinite(result.value)) {
    error = "expected a number as the value of '" + result.name + "', but found '" +
            std::string(digits) + "'";
    return std::nullopt;
  }
  return result;
}

static bool applyOverrides(Program &program, const std::vector<Override> &overrides,
                           DiagnosticEngine &diagnostics) {
  bool ok = true;
  for (const Override &override : overrides) {
    ProgramParam *found = nullptr;
    for (ProgramParam &param : program.params)
      if (param.name == override.name)
        found = &param;
    if (found) {
      found->defaultValue = override.value;
      continue;
    }
    ok = false;
    Diagnostic &diagnostic = diagnostics.error(
        program.range, "the loss '" + program.name + "' has no parameter '" + override.name + "'");
    std::vector<std::string_view> names;
    for (const ProgramParam &param : program.params)
      names.push_back(param.name);
    diagnostic.hint = didYouMean(override.name, names);
  }
  return ok;
}

std::optional<Program> analyze(const File &file, DiagnosticEngine &diagnostics,
                               const std::vector<Override> &overrides) {
  detail::Definitions definitions;
  if (!detail::resolve(file, definitions, diagnostics))
    return std::nullopt;
  std::optional<Program> program = detail::inlineAndType(definitions, diagnostics);
  if (!program || !applyOverrides(*program, overrides, diagnostics))
    return std::nullopt;
  program->file = diagnostics.file();
  return program;
}

std::optional<Program> parseProgram(std::string_view text, DiagnosticEngine &diagnostics,
                                    const std::vector<Override> &overrides) {
  std::optional<File> file = parse(text, diagnostics);
  if (!file)
    return std::nullopt;
  return analyze(*file, diagnostics, overrides);
}

} // namespace loss::lang
