//===- Foreign.cpp --------------------------------------------------------===//
#include "lang/Foreign.h"

#include <algorithm>
#include <cctype>
#include <functional>

namespace loss::lang {

static constexpr Foreign functionTable[] = {
#define LOSS_FOREIGN(NAME, ARGUMENTS, FORM, NOTE) {NAME, ARGUMENTS, FORM, NOTE},
#include "lang/Foreign.def"
};

static constexpr Foreign valueTable[] = {
#define LOSS_FOREIGN_VALUE(NAME, FORM, NOTE) {NAME, "", FORM, NOTE},
#include "lang/Foreign.def"
};

std::span<const Foreign> foreignFunctions() { return functionTable; }
std::span<const Foreign> foreignValues() { return valueTable; }

static std::vector<std::string> namesIn(std::string_view list) {
  std::vector<std::string> names;
  while (!list.empty()) {
    size_t end = std::min(list.find(", "), list.size());
    names.emplace_back(list.substr(0, end));
    list.remove_prefix(std::min(end + 2, list.size()));
  }
  return names;
}

size_t Foreign::argumentCount() const { return namesIn(arguments).size(); }

static bool equalsIgnoringCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

/// The first row that matches, one of exactly this name before others.
static const Foreign *find(std::span<const Foreign> rows, std::string_view name,
                           const std::function<bool(const Foreign &)> &matches) {
  const Foreign *found = nullptr;
  for (const Foreign &row : rows) {
    if (!equalsIgnoringCase(row.name, name) || !matches(row))
      continue;
    if (row.name == name)
      return &row;
    if (!found)
      found = &row;
  }
  return found;
}

const Foreign *findForeignFunction(std::string_view name, size_t count, bool anyCount) {
  const Foreign *row = find(functionTable, name, [&](const Foreign &candidate) {
    return candidate.argumentCount() == count;
  });
  if (row || !anyCount)
    return row;
  return find(functionTable, name, [](const Foreign &) { return true; });
}

const Foreign *findForeignValue(std::string_view name) {
  return find(valueTable, name, [](const Foreign &) { return true; });
}

std::string foreignForm(const Foreign &row, const ForeignCall &call) {
  std::vector<std::string> names = namesIn(row.arguments);
  bool isNamed = call.arguments.size() == names.size();
  auto inPlaceOf = [&](const std::string &word) {
    if (word == "class")
      return call.axis;
    if (word == "batch")
      return call.rows;
    auto argument = std::find(names.begin(), names.end(), word);
    return isNamed && argument != names.end() ? call.arguments[argument - names.begin()] : word;
  };
  auto isOfWord = [](unsigned char c) { return std::isalnum(c) || c == '_'; };
  std::string text;
  for (std::string_view rest = row.form; !rest.empty();) {
    size_t length = std::find_if_not(rest.begin(), rest.end(), isOfWord) - rest.begin();
    text += length ? inPlaceOf(std::string(rest.substr(0, length))) : std::string(1, rest[0]);
    rest.remove_prefix(std::max<size_t>(length, 1));
  }
  return text;
}

std::string foreignHint(const Foreign &row, const ForeignCall &call) {
  if (row.form.empty())
    return std::string(row.note);
  std::string hint = "write '" + foreignForm(row, call) + "'";
  return row.note.empty() ? hint : hint + ", " + std::string(row.note);
}

} // namespace loss::lang
