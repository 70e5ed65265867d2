#include "TrainFixture.h"

#include "runtime/train/AtomicFile.h"
#include "runtime/train/ProgressBar.h"
#include "runtime/train/RunDirectory.h"
#include "runtime/train/Schedule.h"

#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <csignal>
#include <fstream>
#include <limits>
#include <sys/resource.h>

using namespace loss::runtime;
using testing::ContainsRegex;
using testing::HasSubstr;
namespace fs = std::filesystem;

namespace {

const TrainLoss crossEntropy = TrainLoss::builtin("cross_entropy");

TEST(RunDirectory, HoldsTheRun) {
  TempFolder folder;
  const std::string path = folder / "a/b";
  const Dataset data = quarterData();
  TrainConfig config = quickConfig(4);
  config.evalEvery = 2;
  trainInDirectory(config, crossEntropy, data, RunDirectory(path, false, false));

  EXPECT_THAT(readWholeFile(path + "/config.json"), HasSubstr("\"loss\": \"torch:cross_entropy\""));
  EXPECT_THAT(readWholeFile(path + "/summary.json"), HasSubstr("\"status\": \"completed\""));
  std::ifstream metrics(path + "/metrics.csv");
  std::string line;
  int lines = 0;
  while (std::getline(metrics, line)) {
    EXPECT_EQ(std::count(line.begin(), line.end(), ','), 7) << line;
    ++lines;
  }
  EXPECT_EQ(lines, 5);
  EXPECT_TRUE(fs::exists(path + "/checkpoint.pt"));
  for (const auto &entry : fs::directory_iterator(path))
    EXPECT_EQ(entry.path().string().find(".tmp"), std::string::npos) << entry;

  const StoredRun run = readRun(path);
  EXPECT_EQ(run.loss, "torch:cross_entropy");
  EXPECT_EQ(run.trainLosses.size(), 4u);
  EXPECT_TRUE(run.testAccuracy.has_value());
}

int recordedIn(const std::string &file) {
  return nlohmann::json::parse(readWholeFile(file)).at("threads").get<int>();
}

TEST(RunDirectory, RecordsTheNumberOfThreadsAndAResumeKeepsIt) {
  const Dataset data = quarterData();
  const int usual = at::get_num_threads();
  TempFolder folder;
  TrainConfig config = quickConfig(4);
  config.threads = 3;
  const ProgressFn untilTheSecond = [](const StepRecord &record, int64_t) {
    return record.step == 2 ? ProgressAction::Stop : ProgressAction::Continue;
  };
  trainInDirectory(config, crossEntropy, data, RunDirectory(folder.path, false, false),
                   untilTheSecond);
  EXPECT_EQ(recordedIn(folder / "config.json"), 3);
  EXPECT_EQ(recordedIn(folder / "summary.json"), 3);

  // Not said: that of the run, however many this process would take.
  at::set_num_threads(2);
  config.threads = 0;
  config.resume = true;
  const TrainResult resumed =
      trainInDirectory(config, crossEntropy, data, RunDirectory(folder.path, true, false));
  EXPECT_EQ(resumed.steps, 4);
  EXPECT_EQ(resumed.threads, 3);
  EXPECT_EQ(at::get_num_threads(), 3);
  EXPECT_EQ(recordedIn(folder / "config.json"), 3);

  // Another number is another run.
  config.threads = 2;
  EXPECT_THAT(
      [&] { trainInDirectory(config, crossEntropy, data, RunDirectory(folder.path, true, false)); },
      testing::ThrowsMessage<ConfigError>(HasSubstr("threads was 3 and is 2")));

  // A run of its own that says nothing takes what LibTorch chooses, and records it.
  TempFolder another;
  at::set_num_threads(2);
  config.threads = 0;
  config.resume = false;
  trainInDirectory(config, crossEntropy, data, RunDirectory(another.path, false, false));
  EXPECT_EQ(recordedIn(another / "config.json"), 2);
  at::set_num_threads(usual);
}

TEST(RunDirectory, RefusesAFolderThatHoldsARun) {
  TempFolder folder;
  std::ofstream(folder / "config.json") << "{}";
  std::ofstream(folder / "summary.json") << "{}";
  EXPECT_THROW(RunDirectory(folder.path, false, false), ConfigError);
  RunDirectory(folder.path, true, false);
  EXPECT_TRUE(fs::exists(folder / "summary.json"));
  RunDirectory(folder.path, false, true);
  EXPECT_FALSE(fs::exists(folder / "summary.json")) << "an old result must not survive";
}

TEST(RunDirectory, ReportsAFolderThatCannotBeMade) {
  EXPECT_THROW(RunDirectory("/proc/nowhere/run", false, false), StorageError);
}

TEST(RunDirectory, RecordsDivergenceAsSuch) {
  TempFolder folder;
  const Dataset data = quarterData();
  TrainConfig config = quickConfig(30);
  config.optimizer = OptimizerKind::Sgd;
  config.schedule = ScheduleKind::Constant;
  config.lr = 1e30;
  trainInDirectory(config, crossEntropy, data, RunDirectory(folder.path, true, false));
  const std::string summary = readWholeFile(folder / "summary.json");
  EXPECT_THAT(summary, HasSubstr("\"status\": \"diverged\""));
  EXPECT_THAT(summary, HasSubstr("\"train_loss\": null"));
  EXPECT_EQ(readRun(folder.path).status, "diverged");
}

TEST(AtomicFile, LeavesNothingBehindWhenTheDiskIsFull) {
  TempFolder folder;
  const std::string path = folder / "f";
  writeFileAtomically(path, "before");
  // A limit on the size of files fails a write like a full disk does.
  rlimit old = {}, small = {};
  getrlimit(RLIMIT_FSIZE, &old);
  small = old;
  small.rlim_cur = 4096;
  auto *oldHandler = std::signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  std::string message;
  try {
    writeFileAtomically(path, std::string(100000, 'x'));
  } catch (const StorageError &error) {
    message = error.what();
  }
  setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, oldHandler);
  EXPECT_THAT(message, HasSubstr("cannot be written: File too large"));
  EXPECT_EQ(readWholeFile(path), "before");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path), {}), 1);
}

TEST(RunTable, ComparesRuns) {
  StoredRun first;
  first.loss = "torch:cross_entropy";
  first.status = "completed";
  first.steps = 3;
  first.trainLosses = {3, 2, 1};
  first.trainLoss = 2;
  first.valAccuracy = 0.5;
  first.testAccuracy = 0.25;
  first.seconds = 10;
  first.secondsInLoss = 1;
  StoredRun second = first;
  second.loss = "ngl";
  second.trainLosses = {3, 2.5, 100};
  second.testAccuracy.reset();
  const std::string table = formatRunTable({first, second}, 2);
  EXPECT_THAT(table, ContainsRegex("torch:cross_entropy +completed +3 +2.0000 +50.00 % +25.00 % "
                                   "+10.0 +10.00 % +-"));
  EXPECT_THAT(table,
              ContainsRegex("ngl +completed +3 +2.0000 +50.00 % +- +10.0 +10.00 % +5.0e-01"));
}

TEST(RunTable, ReportsWhatIsNoRun) {
  TempFolder folder;
  EXPECT_THROW(readRun(folder.path), StorageError);
  std::ofstream(folder / "summary.json") << "[1, 2";
  EXPECT_THROW(readRun(folder.path), StorageError);
}

double rate(ScheduleKind kind, int64_t warmup, int64_t step, int64_t total) {
  TrainConfig config;
  config.lr = 2;
  config.schedule = kind;
  config.warmup = warmup;
  return learningRate(config, step, total);
}

TEST(Schedule, RisesAndFalls) {
  EXPECT_DOUBLE_EQ(rate(ScheduleKind::Constant, 0, 1, 100), 2);
  EXPECT_DOUBLE_EQ(rate(ScheduleKind::Constant, 10, 5, 100), 1);
  EXPECT_DOUBLE_EQ(rate(ScheduleKind::Constant, 10, 100, 100), 2);
  EXPECT_DOUBLE_EQ(rate(ScheduleKind::Cosine, 0, 1, 100), 2);
  EXPECT_DOUBLE_EQ(rate(ScheduleKind::Cosine, 0, 51, 100), 1);
  EXPECT_NEAR(rate(ScheduleKind::Cosine, 0, 100, 100), 0, 1e-3);
  EXPECT_DOUBLE_EQ(rate(ScheduleKind::Cosine, 50, 25, 150), 1);
  EXPECT_DOUBLE_EQ(rate(ScheduleKind::Cosine, 50, 101, 150), 1);
  EXPECT_DOUBLE_EQ(rate(ScheduleKind::OneCycle, -1, 5, 100), 2) << "5 % of warm-up";
  EXPECT_LT(rate(ScheduleKind::OneCycle, 10, 1, 100), 0.2) << "a slower start than linear";
  EXPECT_DOUBLE_EQ(rate(ScheduleKind::OneCycle, 10, 5, 100), 1);
  for (int64_t step = 1; step <= 7; ++step)
    EXPECT_TRUE(std::isfinite(rate(ScheduleKind::OneCycle, 7, step, 7)));
}

TEST(Progress, FormatsDurations) {
  EXPECT_EQ(formatDuration(0), "0:00");
  EXPECT_EQ(formatDuration(123), "2:03");
  EXPECT_EQ(formatDuration(3600 + 23 * 60 + 45), "1:23:45");
}

/// What a progress bar prints for three steps, validated at the last.
std::string printed(bool terminal) {
  char *text = nullptr;
  size_t size = 0;
  std::FILE *out = open_memstream(&text, &size);
  ProgressBar bar("ngl", out, terminal);
  for (int64_t step = 1; step <= 3; ++step) {
    StepRecord record;
    record.step = step;
    record.trainLoss = 2;
    if (step == 3)
      record.valAccuracy = 0.5;
    bar.show(record, 3);
  }
  bar.finish();
  std::fclose(out);
  std::string copy(text, size);
  free(text);
  return copy;
}

TEST(Progress, DrawsABarOnATerminalAndLinesElsewhere) {
  EXPECT_EQ(printed(false), "ngl  step 3/3  loss 2.0000  val. 50.00 %  0:00 < 0:00\n");
  const std::string bar = printed(true);
  EXPECT_EQ(bar[0], '\r');
  EXPECT_THAT(bar, HasSubstr("[########################]  step 3/3"));
  EXPECT_EQ(bar.back(), '\n');
}

} // namespace
