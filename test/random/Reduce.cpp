//===- Reduce.cpp - smaller programs that still fail ----------------------===//

#include "test/random/Reduce.h"

#include "lang/AstPrinter.h"
#include "lang/Parser.h"

#include <optional>
#include <vector>

namespace loss::stress {

namespace {

using namespace loss::lang;

std::optional<File> parsed(const std::string &text) {
  DiagnosticEngine diagnostics("reduced.loss");
  File file = parse(text, diagnostics);
  if (diagnostics.hasErrors())
    return std::nullopt;
  return file;
}

/// Every place of an expression in a file: what may be put in its stead are its operands, and
/// numbers.
void collect(ExprPtr &expr, std::vector<ExprPtr *> &places) {
  places.push_back(&expr);
  for (ExprPtr &operand : expr->operands)
    collect(operand, places);
}

void collect(Block &block, std::vector<ExprPtr *> &places) {
  collect(block.result, places);
  for (Let &let : block.lets)
    collect(let.value, places);
}

std::vector<ExprPtr *> placesOf(File &file) {
  std::vector<ExprPtr *> places;
  for (auto &item : file.items)
    if (auto *loss = std::get_if<LossDef>(&item)) {
      collect(loss->body, places);
    } else if (auto *function = std::get_if<FnDef>(&item)) {
      collect(function->body, places);
      for (Derivative &derivative : function->derivatives)
        collect(derivative.value, places);
    }
  return places;
}

/// Takes an axis away from all inputs and from what works over it.
void dropAxis(File &file, LossDef &loss, const std::string &name) {
  for (LossArg &arg : loss.args) {
    std::erase_if(arg.axes, [&](auto &axis) { return axis.name == name; });
    if (arg.classAxis && arg.classAxis->name == name)
      arg.classAxis.reset();
  }
  for (ExprPtr *place : placesOf(file)) {
    Expr &expr = **place;
    bool hadAxes = !expr.axes.empty();
    std::erase_if(expr.axes, [&](auto &axis) { return axis.name == name; });
    if (expr.kind == ExprKind::Call && hadAxes && expr.axes.empty()) {
      ExprPtr kept = std::move(expr.operands.front());
      *place = std::move(kept);
      return dropAxis(file, loss, name); // The places below are others now.
    }
  }
}

/// One change of a program, told by its number; false when there are fewer.
class Change {
public:
  explicit Change(size_t number) : rest(number) {}

  bool apply(File &file) {
    for (size_t i = 0; i < file.items.size(); ++i)
      if (auto *function = std::get_if<FnDef>(&file.items[i])) {
        if (turn()) {
          file.items.erase(file.items.begin() + i);
          return true;
        }
        if (!function->derivatives.empty() && turn()) {
          function->derivatives.clear();
          return true;
        }
      }
    for (auto &item : file.items)
      if (auto *loss = std::get_if<LossDef>(&item)) {
        for (size_t i = loss->body.lets.size(); i-- > 0;)
          if (turn()) {
            loss->body.lets.erase(loss->body.lets.begin() + i);
            return true;
          }
        for (size_t i = 0; i < loss->args.size(); ++i)
          if (turn()) {
            loss->args.erase(loss->args.begin() + i);
            return true;
          }
        for (size_t i = 0; i < loss->body.axes.size(); ++i)
          if (turn()) {
            loss->body.axes.erase(loss->body.axes.begin() + i);
            return true;
          }
        for (LossArg &arg : loss->args)
          for (size_t a = 0; a < arg.axes.size(); ++a)
            if (turn()) {
              dropAxis(file, *loss, std::string(arg.axes[a].name));
              return true;
            }
        for (LossArg &arg : loss->args)
          if (arg.kind == LossArg::Kind::Target || arg.kind == LossArg::Kind::Fixed)
            if (turn()) {
              arg.kind = LossArg::Kind::Value;
              arg.classAxis.reset();
              return true;
            }
      }
    for (ExprPtr *place : placesOf(file)) {
      Expr &expr = **place;
      for (ExprPtr &operand : expr.operands)
        if (turn()) {
          ExprPtr kept = std::move(operand);
          *place = std::move(kept);
          return true;
        }
      if (expr.kind == ExprKind::Number)
        continue;
      for (double number : {0.0, 1.0})
        if (turn()) {
          *place = makeNumber(number);
          return true;
        }
    }
    return false;
  }

private:
  bool turn() { return rest-- == 0; }
  size_t rest;
};

} // namespace

std::string reduce(const std::string &text,
                   const std::function<bool(const std::string &)> &stillFails) {
  std::string best = text;
  // A step that failed is likely to fail again: go on where the last one succeeded, until a whole
  // round brings nothing.
  size_t number = 0, sinceSuccess = 0;
  constexpr size_t patience = 4000;
  for (size_t tries = 0; tries < patience; ++tries) {
    std::optional<File> file = parsed(best);
    if (!file)
      return best;
    if (!Change(number).apply(*file)) {
      if (sinceSuccess >= number)
        return best;
      number = 0;
      continue;
    }
    std::string candidate = print(*file);
    if (candidate.size() < best.size() && stillFails(candidate)) {
      best = candidate;
      sinceSuccess = 0;
      continue;
    }
    ++number;
    ++sinceSuccess;
  }
  return best;
}

} // namespace loss::stress
