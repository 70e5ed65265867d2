#include "runtime/train/AtomicFile.h"
#include "runtime/train/Errors.h"
#include "runtime/train/RunDirectory.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <sstream>

namespace loss::runtime {
namespace {

std::string format(const char *pattern, double value) {
  char text[64];
  std::snprintf(text, sizeof text, pattern, value);
  return text;
}

std::string percent(std::optional<double> share) {
  return share ? format("%.2f %%", 100 * *share) : "-";
}

/// Column 3 of metrics.csv.
std::vector<double> readTrainLosses(const std::string &path) {
  std::istringstream lines(readWholeFile(path));
  std::vector<double> losses;
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    const size_t second = line.find(',', line.find(',') + 1);
    char *end = nullptr;
    const double value = second < line.size() ? std::strtod(line.c_str() + second + 1, &end) : 0;
    if (!end || *end != ',')
      throw StorageError(path + ": line " + std::to_string(losses.size() + 2) +
                         ": expected numbers separated by commas");
    losses.push_back(value);
  }
  return losses;
}

/// The mean over the last 50 steps says more than the loss of one batch.
double lastMean(const std::vector<double> &losses) {
  const size_t count = std::min<size_t>(50, losses.size());
  double sum = 0;
  for (size_t i = losses.size() - count; i < losses.size(); ++i)
    sum += losses[i];
  return count ? sum / static_cast<double>(count) : std::numeric_limits<double>::quiet_NaN();
}

double largestDifference(const std::vector<double> &a, const std::vector<double> &b, size_t steps) {
  double largest = 0;
  for (size_t i = 0; i < std::min({steps, a.size(), b.size()}); ++i)
    largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

} // namespace

StoredRun readRun(const std::string &path) {
  StoredRun run;
  run.path = path;
  const std::string file = path + "/summary.json";
  const std::string text = readWholeFile(file);
  try {
    const auto summary = nlohmann::json::parse(text);
    run.loss = summary.at("loss").get<std::string>();
    run.status = summary.at("status").get<std::string>();
    run.steps = summary.at("steps").get<int64_t>();
    run.valAccuracy = summary.at("val_accuracy").get<double>();
    if (!summary.at("test_accuracy").is_null())
      run.testAccuracy = summary.at("test_accuracy").get<double>();
    run.seconds = summary.at("seconds").get<double>();
    run.secondsInLoss = summary.at("seconds_in_loss").get<double>();
  } catch (const nlohmann::json::exception &) {
    throw StorageError(file + ": expected the summary of a run, but found something else");
  }
  run.trainLosses = readTrainLosses(path + "/metrics.csv");
  run.trainLoss = lastMean(run.trainLosses);
  return run;
}

std::vector<StoredRun> readRuns(const std::vector<std::string> &paths) {
  std::vector<StoredRun> runs;
  for (const std::string &path : paths)
    runs.push_back(readRun(path));
  return runs;
}

std::string formatRunTable(const std::vector<StoredRun> &runs, int64_t comparedSteps) {
  std::vector<std::vector<std::string>> rows = {{"loss", "status", "steps", "train loss",
                                                 "val. acc.", "test acc.", "seconds", "in the loss",
                                                 "max diff. " + std::to_string(comparedSteps)}};
  for (const StoredRun &run : runs)
    rows.push_back(
        {run.loss, run.status, std::to_string(run.steps), format("%.4f", run.trainLoss),
         percent(run.valAccuracy), percent(run.testAccuracy), format("%.1f", run.seconds),
         percent(run.seconds > 0 ? run.secondsInLoss / run.seconds : 0),
         &run == &runs.front()
             ? "-"
             : format("%.1e", largestDifference(run.trainLosses, runs.front().trainLosses,
                                                static_cast<size_t>(comparedSteps)))});
  std::vector<size_t> widths(rows[0].size());
  for (const auto &row : rows)
    for (size_t c = 0; c < row.size(); ++c)
      widths[c] = std::max(widths[c], row[c].size());
  std::string table;
  for (const auto &row : rows) {
    std::string line;
    for (size_t c = 0; c < row.size(); ++c) {
      const std::string gap(widths[c] - row[c].size(), ' ');
      line += (c ? "  " : "") + (c < 2 ? row[c] + gap : gap + row[c]);
    }
    table += line + '\n';
    if (&row == &rows.front())
      table += std::string(line.size(), '-') + '\n';
  }
  return table;
}

} // namespace loss::runtime
