//===- HallOfFame.cpp - the best losses of a search, for people -----------===//

#include "search/report/HallOfFame.h"

#include <cstdarg>
#include <cstdio>
#include <numeric>

using namespace loss::search;

namespace {
std::string format(const char *pattern, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, pattern);
  std::vsnprintf(text, sizeof text, pattern, arguments);
  va_end(arguments);
  return text;
}

std::string duration(double seconds) {
  auto whole = static_cast<long>(seconds + 0.5);
  if (whole >= 3600)
    return format("%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
  return format("%ld:%02ld", whole / 60, whole % 60);
}

std::string percent(double fitness) { return format("%7.2f %%", 100 * fitness); }

/// Groups "diverged at step 12" and "diverged at step 7".
std::string withoutStep(const std::string &reason) {
  return reason.substr(0, reason.find(" at step"));
}
} // namespace

std::string loss::search::describeSearch(Store &store, const SearchConfig &config, int64_t top) {
  const Protocol &protocol = config.protocol;
  StoreCounts counts = store.counts();
  std::string out =
      format("space %s, seed %llu: %s on %s, %lld steps of %lld images; accuracy on %lld held-out "
             "images\n",
             config.space.c_str(), static_cast<unsigned long long>(config.seed),
             protocol.model.c_str(), protocol.data.c_str(), static_cast<long long>(protocol.steps),
             static_cast<long long>(protocol.batch), static_cast<long long>(protocol.validation));
  out += format("%lld of %lld losses evaluated, %lld of them failed\n\n",
                static_cast<long long>(counts.evaluated),
                static_cast<long long>(config.evaluations), static_cast<long long>(counts.failed));

  out += " rank   accuracy  candidate  loss\n";
  struct Baseline {
    std::string name;
    double fitness;
  };
  std::vector<Baseline> baselines;
  for (const BaselineRow &row : store.baselines())
    if (auto evaluation = store.evaluation(row.address); evaluation && evaluation->fitness)
      baselines.push_back({row.name, *evaluation->fitness});
  auto printBaselines = [&](double above) {
    std::erase_if(baselines, [&](const Baseline &baseline) {
      if (baseline.fitness < above)
        return false;
      out += "    -  " + percent(baseline.fitness) + "          -  " + baseline.name + "\n";
      return true;
    });
  };
  int64_t rank = 0;
  for (const RankedRow &row : store.best(top)) {
    // Before the first loss that is not better.
    printBaselines(*row.evaluation.fitness);
    out += format("%5lld  ", static_cast<long long>(++rank)) + percent(*row.evaluation.fitness) +
           format("  %9lld  ", static_cast<long long>(row.candidate.index)) +
           row.candidate.formula + "\n";
  }
  printBaselines(-1);

  std::map<std::string, int64_t> reasons;
  for (const CandidateRow &row : store.candidates())
    if (auto evaluation = store.evaluation(row.address); evaluation && !evaluation->fitness)
      ++reasons[withoutStep(evaluation->reason)];
  if (!reasons.empty())
    out += "\nfailed:\n";
  for (const auto &[reason, count] : reasons)
    out += format("%5lld  ", static_cast<long long>(count)) + reason + "\n";
  return out;
}

std::string loss::search::describeProgress(const RunProgress &progress) {
  int64_t ended = progress.trained + progress.failed;
  std::string out =
      format("%lld/%lld evaluated, %lld failed, %lld running", static_cast<long long>(ended),
             static_cast<long long>(progress.total), static_cast<long long>(progress.failed),
             static_cast<long long>(progress.running));
  if (progress.best)
    out += ", best" + percent(*progress.best);
  if (progress.baseline)
    out += ", baseline" + percent(*progress.baseline);
  int64_t drawn = std::accumulate(progress.drawn.begin(), progress.drawn.end(), int64_t(0));
  out += format("; %lld drawn", static_cast<long long>(drawn));
  for (int v = 1; v < verdictCount; ++v)
    if (progress.drawn[v])
      out += format(", %lld %s", static_cast<long long>(progress.drawn[v]),
                    verdictName(static_cast<Verdict>(v)));
  if (progress.endedNow > 0 && ended < progress.total)
    out += "; " +
           duration(progress.seconds / static_cast<double>(progress.endedNow) *
                    static_cast<double>(progress.total - ended)) +
           " left";
  return out;
}
