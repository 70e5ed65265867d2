//===- SearchConfig.cpp - what a search is --------------------------------===//

#include "search/driver/SearchConfig.h"

#include <nlohmann/json.hpp>

using namespace loss::search;

SearchConfig SearchConfig::resolved() const {
  SearchConfig result = *this;
  if (evaluations < 1)
    throw SearchError("evaluations must be 1 or more, but is " + std::to_string(evaluations));
  EvolutionConfig scaled = EvolutionConfig::scaledTo(evaluations);
  if (initial < 0)
    result.initial = scaled.initial;
  if (population < 0)
    result.population = std::min(scaled.population, result.initial);
  if (tournament < 0)
    result.tournament = scaled.tournament;
  result.protocol = protocol.resolved();
  result.protocol.check();
  Evolution(*result.makeSpace(), result.evolution());
  return result;
}

EvolutionConfig SearchConfig::evolution() const {
  return {seed, initial, population, tournament, lookahead};
}

std::unique_ptr<Space> SearchConfig::makeSpace() const {
  if (sampler != "construct" && sampler != "rejection")
    throw SearchError("unknown sampler '" + sampler + "': expected one of construct, rejection");
  return search::makeSpace(space, sampler == "construct" ? Sampler::Construct : Sampler::Rejection);
}

std::string SearchConfig::toText() const {
  nlohmann::json json = nlohmann::json::object();
  forEachField(*this,
               [&](const char *name, const auto &field, const char *) { json[name] = field; });
  return json.dump();
}

SearchConfig SearchConfig::fromText(const std::string &text) {
  SearchConfig config;
  try {
    nlohmann::json json = nlohmann::json::parse(text);
    forEachField(config,
                 [&](const char *name, auto &field, const char *) { json.at(name).get_to(field); });
  } catch (const nlohmann::json::exception &error) {
    throw SearchError(std::string("the stored configuration cannot be read: ") + error.what());
  }
  return config;
}

SearchConfig loss::search::continueSearch(const SearchConfig &stored, const SearchConfig &given,
                                          const std::set<std::string> &names,
                                          const std::string &directory) {
  nlohmann::json before = nlohmann::json::parse(stored.toText());
  nlohmann::json now = nlohmann::json::parse(given.toText());
  SearchConfig result = stored;
  std::string differences;
  for (const std::string &name : names) {
    if (before[name] == now[name])
      continue;
    if (name == "evaluations") {
      result.evaluations = given.evaluations;
      continue;
    }
    differences += (differences.empty() ? "" : ", ") + name + " is " + before[name].dump() +
                   " there but " + now[name].dump() + " was given";
  }
  if (!differences.empty())
    throw SearchError(directory + " holds another search: " + differences +
                      " (to continue it leave these options out; for a new search name another "
                      "directory)");
  return result;
}
