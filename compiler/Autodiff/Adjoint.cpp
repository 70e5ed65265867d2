//===- Adjoint.cpp - what flows backwards, and where ----------------------===//

#include "compiler/Autodiff/Adjoint.h"

using namespace mlir;
using namespace loss::ir;
using namespace loss::ir::autodiff;

void Adjoint::apply(llvm::function_ref<bool(const Literal &)> isWanted) {
  for (const Literal &literal : conditions)
    if (isWanted(literal)) {
      Expr condition(&value.at(), literal.condition);
      auto choose = [&](Expr x) {
        return literal.negated ? where(condition, 0.0, x) : where(condition, x, 0.0);
      };
      chosen = choose(chosen.isNothing() ? Expr(1.0).as(value) : chosen);
      value = choose(value);
    }
  llvm::erase_if(conditions, isWanted);
}

void Adjoint::applyAlong(StringAttr axis) {
  apply([&](const Literal &literal) { return hasAxis(literal.condition.getType(), axis); });
}

void Contributions::add(Adjoint part) {
  for (Adjoint &other : parts)
    if (other.conditions == part.conditions) {
      other.value = other.value + part.value;
      const bool either = other.chosen.isNothing() || part.chosen.isNothing();
      other.chosen = either ? Expr() : other.chosen + part.chosen;
      return;
    }
  parts.push_back(std::move(part));
}

Adjoint &Contributions::sum() {
  while (parts.size() > 1)
    if (!joinBranches())
      addUp();
  return parts.front();
}

/// Where conditions of the two differ in one, that holds in the one and not in the other: its
/// place.
static std::optional<size_t> oppositeIn(const Adjoint &a, const Adjoint &b) {
  if (a.conditions.size() != b.conditions.size())
    return std::nullopt;
  auto [x, y] = llvm::mismatch(a.conditions, b.conditions);
  if (x->condition != y->condition || !std::equal(x + 1, a.conditions.end(), y + 1))
    return std::nullopt;
  return x - a.conditions.begin();
}

/// if c then a else b, for the parts of both branches: needs no zeros.
bool Contributions::joinBranches() {
  for (size_t i = 0; i < parts.size(); ++i)
    for (size_t j = i + 1; j < parts.size(); ++j)
      if (std::optional<size_t> place = oppositeIn(parts[i], parts[j])) {
        Adjoint joined = parts[i], other = parts[j];
        Literal literal = joined.conditions[*place];
        Expr condition(&joined.value.at(), literal.condition);
        if (literal.negated) {
          std::swap(joined.value, other.value);
          std::swap(joined.chosen, other.chosen);
        }
        if (!joined.chosen.isNothing() || !other.chosen.isNothing())
          joined.chosen = where(condition, joined.chosen.isNothing() ? 1.0 : joined.chosen,
                                other.chosen.isNothing() ? 1.0 : other.chosen);
        if (joined.value.value() != other.value.value())
          joined.value = where(condition, joined.value, other.value);
        joined.conditions.erase(joined.conditions.begin() + *place);
        parts.erase(parts.begin() + j);
        parts.erase(parts.begin() + i);
        add(std::move(joined));
        return true;
      }
  return false;
}

/// Adds the last part to the one before: under the conditions that both have.
void Contributions::addUp() {
  Adjoint b = parts.pop_back_val(), a = parts.pop_back_val();
  SmallVector<Literal, 2> common;
  for (const Literal &literal : a.conditions)
    if (llvm::is_contained(b.conditions, literal))
      common.push_back(literal);
  for (Adjoint *part : {&a, &b}) {
    part->apply([&](const Literal &literal) { return !llvm::is_contained(common, literal); });
    part->conditions = common;
    add(*part);
  }
}
