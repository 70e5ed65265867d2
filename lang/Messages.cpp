//===- Messages.cpp -------------------------------------------------------===//
#include "lang/Messages.h"

namespace loss::lang {

static constexpr Message table[] = {
#define LOSS_ERROR(NAME, PATTERN, FIX) {Severity::Error, NAME, PATTERN, FIX},
#define LOSS_WARNING(NAME, PATTERN, FIX) {Severity::Warning, NAME, PATTERN, FIX},
#include "lang/Messages.def"
};

std::span<const Message> messages() { return table; }

bool matchesPattern(std::string_view pattern, std::string_view text) {
  size_t hole = pattern.find("{}");
  if (hole == std::string_view::npos)
    return pattern == text;
  if (text.substr(0, hole) != pattern.substr(0, hole))
    return false;
  std::string_view rest = pattern.substr(hole + 2);
  text.remove_prefix(hole);
  // The part between this hole and the next may stand anywhere; the earliest place leaves most.
  size_t next = rest.find("{}");
  if (next == std::string_view::npos)
    return text.ends_with(rest);
  std::string_view part = rest.substr(0, next);
  size_t place = text.find(part);
  if (place == std::string_view::npos)
    return false;
  return matchesPattern(rest.substr(next), text.substr(place + part.size()));
}

/// How many characters of a pattern are text.
static size_t textLength(std::string_view pattern) {
  size_t length = pattern.size();
  for (size_t at = 0; (at = pattern.find("{}", at)) != std::string_view::npos; at += 2)
    length -= 2;
  return length;
}

const Message *findMessage(const Diagnostic &diagnostic) {
  const Message *best = nullptr, *named = nullptr;
  for (const Message &message : table) {
    if (message.severity != diagnostic.severity && diagnostic.name.empty())
      continue;
    if (!diagnostic.name.empty() && message.name != diagnostic.name)
      continue;
    named = &message;
    if (matchesPattern(message.pattern, diagnostic.message) &&
        (!best || textLength(message.pattern) > textLength(best->pattern)))
      best = &message;
  }
  return best || diagnostic.name.empty() ? best : named;
}

} // namespace loss::lang
