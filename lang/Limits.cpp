//===- Limits.cpp - what parameters and options may be --------------------===//
#include "lang/SemaDetail.h"

#include <algorithm>
#include <cmath>

namespace loss::lang::detail {

std::optional<Constraint> findConstraint(std::string_view name) {
  if (name == "positive")
    return Constraint::Positive;
  if (name == "nonnegative")
    return Constraint::Nonnegative;
  if (name == "unit")
    return Constraint::Unit;
  if (name == "integer")
    return Constraint::Integer;
  return std::nullopt;
}

static bool satisfies(double value, Constraint constraint) {
  switch (constraint) {
  case Constraint::Any:
    return true;
  case Constraint::Positive:
    return value > 0;
  case Constraint::Nonnegative:
    return value >= 0;
  case Constraint::Unit:
    return value >= 0 && value <= 1;
  case Constraint::Integer:
    return value == std::floor(value);
  }
  return true;
}

bool Limits::allow(double value) const {
  return std::all_of(words.begin(), words.end(),
                     [=](Constraint word) { return satisfies(value, word); }) &&
         (!range || ((*range)[0] <= value && value <= (*range)[1]));
}

std::string Limits::inWords() const {
  auto demands = [this](Constraint word) {
    return std::find(words.begin(), words.end(), word) != words.end();
  };
  std::string text = "a";
  if (demands(Constraint::Positive))
    text += " positive";
  if (demands(Constraint::Integer))
    text += " whole";
  text += " number";
  if (demands(Constraint::Nonnegative))
    text += " of 0 or more";
  if (demands(Constraint::Unit))
    text += " from 0 to 1";
  if (range)
    text += " from " + spell({(*range)[0]}) + " to " + spell({(*range)[1]});
  return text;
}

} // namespace loss::lang::detail
