//===- Protocol.cpp - how a loss is evaluated -----------------------------===//

#include "search/evaluate/Protocol.h"

#include "search/spaces/Space.h"
#include "search/store/Sha256.h"

#include <nlohmann/json.hpp>

#include <algorithm>

using namespace loss::search;

Protocol Protocol::resolved() const {
  Protocol result = *this;
  if (result.warmup < 0)
    result.warmup = steps / 10;
  if (result.evalEvery < 0)
    result.evalEvery = std::max<int64_t>(1, steps / 10);
  if (result.stopFrom < 0)
    result.stopFrom = std::max<int64_t>(600, steps * 6 / 80);
  return result;
}

void Protocol::check() const {
  auto atLeast = [](int64_t value, int64_t least, const char *name) {
    if (value < least)
      throw SearchError(std::string(name) + " must be " + std::to_string(least) +
                        " or more, but is " + std::to_string(value));
  };
  atLeast(steps, 1, "steps");
  atLeast(batch, 1, "batch");
  atLeast(width, 0, "width");
  atLeast(trainSubset, 0, "train-subset");
  atLeast(validation, 1, "validation");
  atLeast(stopWindow, 1, "stop-window");
  if (!(lr > 0))
    throw SearchError("lr must be above 0");
  auto oneOf = [](const std::string &value, std::initializer_list<const char *> known,
                  const char *name) {
    std::string list;
    for (const char *one : known) {
      if (value == one)
        return;
      list += (list.empty() ? "" : ", ") + std::string(one);
    }
    throw SearchError("unknown " + std::string(name) + " '" + value + "': expected one of " + list);
  };
  oneOf(optimizer, {"sgd", "adam", "adamw"}, "optimizer");
  oneOf(augment, {"none", "base"}, "augment");
  oneOf(precision, {"f32", "bf16", "auto"}, "precision");
}

nlohmann::json Protocol::toJson() const {
  nlohmann::json json = nlohmann::json::object();
  forEachField(*this,
               [&](const char *name, const auto &field, const char *) { json[name] = field; });
  return json;
}

Protocol Protocol::fromJson(const nlohmann::json &json) {
  Protocol protocol;
  size_t known = 0;
  forEachField(protocol, [&](const char *name, auto &field, const char *) {
    auto it = json.find(name);
    if (it == json.end())
      throw SearchError(std::string("the protocol lacks '") + name + "'");
    try {
      it->get_to(field);
    } catch (const nlohmann::json::exception &) {
      throw SearchError(std::string("the protocol's '") + name + "' has a wrong type");
    }
    ++known;
  });
  if (json.size() != known)
    throw SearchError("the protocol has unknown fields: " + json.dump());
  return protocol;
}

std::string loss::search::evaluationAddress(const std::string &program, const Protocol &protocol) {
  // nlohmann's objects are sorted by name, so the text is canonical.
  return sha256(sha256(program) + "\n" + protocol.resolved().toJson().dump());
}
