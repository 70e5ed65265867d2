//===- Spaces.cpp - all search spaces by name -----------------------------===//

#include "search/spaces/GraphSpace.h"

using namespace loss::search;

std::unique_ptr<Space> loss::search::makeSpace(std::string_view name, Sampler sampler) {
  if (name == "graph")
    return std::make_unique<GraphSpace>(sampler);
  std::string known;
  for (const std::string &space : spaceNames())
    known += (known.empty() ? "" : ", ") + space;
  throw SearchError("unknown search space '" + std::string(name) + "': expected one of " + known);
}

std::vector<std::string> loss::search::spaceNames() { return {"graph"}; }
