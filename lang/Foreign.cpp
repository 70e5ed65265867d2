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

/// A text with each of its words replaced.
static std::string replaceWords(std::string_view text,
                                const std::function<std::string(const std::string &)> &rename) {
  auto isOfWord = [](unsigned char c) { return std::isalnum(c) || c == '_'; };
  std::string result;
  while (!text.empty()) {
    size_t length = std::find_if_not(text.begin(), text.end(), isOfWord) - text.begin();
    result += length ? rename(std::string(text.substr(0, length))) : std::string(1, text[0]);
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return result;
}

std::string inQuotes(std::string_view hint,
                     const std::function<std::string(const std::string &)> &rename) {
  std::string result;
  std::string_view rest = hint;
  for (;;) {
    // Not the apostrophe of a word.
    size_t begin = rest.find('\'');
    while (begin != std::string_view::npos && begin &&
           std::isalnum(static_cast<unsigned char>(rest[begin - 1])))
      begin = rest.find('\'', begin + 1);
    size_t end = begin == std::string_view::npos ? begin : rest.find('\'', begin + 1);
    if (end == std::string_view::npos)
      return result + std::string(rest);
    std::string_view quoted = rest.substr(begin, end + 1 - begin);
    bool isDeclaration = quoted.find('[') != std::string_view::npos;
    result += rest.substr(0, begin);
    result += isDeclaration ? std::string(quoted) : replaceWords(quoted, rename);
    rest.remove_prefix(end + 1);
  }
}

/// What a form calls an argument that has no plain name: as the table does, but never as an axis.
static std::string placeholder(const std::string &name, const std::vector<std::string> &axes) {
  if (std::find(axes.begin(), axes.end(), name) == axes.end())
    return name;
  return placeholder(name == "c"   ? "condition"
                     : name == "d" ? "other_condition"
                                   : name + "_value",
                     axes);
}

static std::function<std::string(const std::string &)> renameFor(const Foreign &row,
                                                                 const ForeignCall &call) {
  return [&call, names = namesIn(row.arguments)](const std::string &word) {
    if (word == "class")
      return call.axis;
    if (word == "batch")
      return call.rows;
    auto argument = std::find(names.begin(), names.end(), word);
    if (argument == names.end())
      return word;
    return call.arguments.size() == names.size() ? call.arguments[argument - names.begin()]
                                                 : placeholder(word, call.axes);
  };
}

std::string foreignForm(const Foreign &row, const ForeignCall &call) {
  return replaceWords(row.form, renameFor(row, call));
}

std::string foreignHint(const Foreign &row, const ForeignCall &call) {
  std::string note = inQuotes(row.note, renameFor(row, call));
  if (row.form.empty())
    return note;
  std::string hint = "write '" + foreignForm(row, call) + "'";
  return note.empty() ? hint : hint + ", " + note;
}

} // namespace loss::lang
