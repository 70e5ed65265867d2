// Whole searches with a worker that trains nothing: any number of jobs, stopping, kill -9.

#include "search/driver/SearchRun.h"
#include "TemporaryDirectory.h"
#include "search/report/HallOfFame.h"

#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

using namespace loss::search;

namespace {
SearchConfig smallConfig(int64_t evaluations = 40) {
  SearchConfig config;
  config.evaluations = evaluations;
  config.seed = 5;
  config.initial = 12;
  config.population = 6;
  config.lookahead = 4;
  return config.resolved();
}

RunOptions runOptions(const TemporaryDirectory &directory, int jobs, int milliseconds) {
  RunOptions options;
  options.jobs = jobs;
  options.worker = {SEARCH_TEST_WORKER, directory.path("begun"), std::to_string(milliseconds)};
  return options;
}

/// What a search found, as text: each candidate with its parent, sign and fitness.
std::vector<std::string> resultsOf(Store &store) {
  std::vector<std::string> results;
  for (const CandidateRow &row : store.candidates()) {
    auto evaluation = store.evaluation(row.address);
    std::string fitness = !evaluation           ? "none"
                          : evaluation->fitness ? std::to_string(*evaluation->fitness)
                                                : evaluation->reason;
    results.push_back(
        std::to_string(row.index) + " " + row.genome + " " + (row.negated ? "-" : "+") + " " +
        (row.parent ? std::to_string(*row.parent) : "-") + " " + row.drawn + " " + fitness);
  }
  return results;
}

/// Begins or continues the search in the directory.
bool run(const TemporaryDirectory &directory, const SearchConfig &config, int jobs,
         int milliseconds, int64_t stopAfter = -1,
         const std::optional<BaselineProgram> &baseline = std::nullopt) {
  SearchDirectory locked(directory.path("search"));
  auto store = openSqliteStore(locked.database(), {.create = true});
  std::atomic<bool> stop = false;
  return runSearch(config, runOptions(directory, jobs, milliseconds), *store, locked.workerLog(),
                   baseline, stop, [&](const RunProgress &progress) {
                     stop = stopAfter >= 0 && progress.endedNow >= stopAfter;
                   });
}

std::unique_ptr<Store> openSearch(const TemporaryDirectory &directory) {
  return openSqliteStore(directory.path("search/search.db"), {.readOnly = true});
}

int64_t linesIn(const std::string &path) {
  std::ifstream file(path);
  int64_t lines = 0;
  for (std::string line; std::getline(file, line);)
    ++lines;
  return lines;
}

const std::vector<std::string> &expectedResults() {
  static const std::vector<std::string> results = [] {
    TemporaryDirectory directory;
    EXPECT_TRUE(run(directory, smallConfig(), 1, 0));
    return resultsOf(*openSearch(directory));
  }();
  return results;
}
} // namespace

TEST(SearchRun, findsTheSameWithAnyNumberOfJobs) {
  ASSERT_EQ(expectedResults().size(), 40u);
  for (int jobs : {2, 3}) {
    TemporaryDirectory directory;
    EXPECT_TRUE(run(directory, smallConfig(), jobs, jobs));
    EXPECT_EQ(resultsOf(*openSearch(directory)), expectedResults()) << jobs << " jobs";
  }
}

TEST(SearchRun, continuesAfterAStop) {
  TemporaryDirectory directory;
  EXPECT_FALSE(run(directory, smallConfig(), 2, 1, 5));
  EXPECT_FALSE(run(directory, smallConfig(), 3, 1, 9));
  EXPECT_TRUE(run(directory, smallConfig(), 1, 1));
  EXPECT_EQ(resultsOf(*openSearch(directory)), expectedResults());
  // Nothing more to do: no worker is started.
  int64_t begun = linesIn(directory.path("begun"));
  EXPECT_TRUE(run(directory, smallConfig(), 1, 1));
  EXPECT_EQ(linesIn(directory.path("begun")), begun);
}

TEST(SearchRun, killedAtAnyMomentLosesOnlyWhatIsUnderWay) {
  TemporaryDirectory directory;
  const int jobs = 3;
  int kills = 0;
  Rng random(7);
  for (;;) {
    pid_t child = fork();
    if (child == 0) {
      bool complete = false;
      try {
        complete = run(directory, smallConfig(), jobs, 20);
      } catch (const std::exception &error) {
        std::fprintf(stderr, "%s\n", error.what());
        _exit(2);
      }
      _exit(complete ? 0 : 1);
    }
    bool isLast = kills == 12;
    if (!isLast) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10 + random.below(90)));
      kill(child, SIGKILL);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFEXITED(status)) {
      ASSERT_EQ(WEXITSTATUS(status), 0);
      break;
    }
    ASSERT_EQ(WTERMSIG(status), SIGKILL);
    ++kills;
  }
  EXPECT_GE(kills, 3);
  auto store = openSearch(directory);
  EXPECT_EQ(resultsOf(*store), expectedResults());
  // Each kill cost at most the evaluations under way.
  EXPECT_LE(linesIn(directory.path("begun")), 40 + kills * jobs);
}

TEST(SearchRun, workersDieWithTheSearch) {
  TemporaryDirectory directory;
  pid_t child = fork();
  if (child == 0)
    _exit(run(directory, smallConfig(), 1, 600000) ? 0 : 1);
  while (linesIn(directory.path("begun")) == 0)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  // The lock is free again at once, and the interrupted evaluation is done anew.
  EXPECT_FALSE(run(directory, smallConfig(), 1, 1, 2));
  EXPECT_GE(linesIn(directory.path("begun")), 3);
}

TEST(SearchRun, evaluatesTheBaselineOnce) {
  TemporaryDirectory directory;
  BaselineProgram baseline{"cross_entropy", "loss cross_entropy"};
  EXPECT_TRUE(run(directory, smallConfig(14), 2, 0, -1, baseline));
  auto store = openSearch(directory);
  ASSERT_EQ(store->baselines().size(), 1u);
  auto evaluation = store->evaluation(store->baselines()[0].address);
  ASSERT_TRUE(evaluation);
  ASSERT_TRUE(evaluation->fitness);
  EXPECT_EQ(linesIn(directory.path("begun")), 15);
  EXPECT_TRUE(run(directory, smallConfig(14), 2, 0, -1, baseline));
  EXPECT_EQ(linesIn(directory.path("begun")), 15);
  std::string text = describeSearch(*store, smallConfig(14), 50);
  EXPECT_NE(text.find("14 of 14 losses evaluated"), std::string::npos) << text;
  EXPECT_NE(text.find("-  cross_entropy\n"), std::string::npos) << text;
  // The best comes first, the baseline in its place.
  std::vector<double> accuracies;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (size_t at = line.find(" %  "); at != std::string::npos)
      accuracies.push_back(std::stod(line.substr(at - 7, 7)));
  EXPECT_GT(accuracies.size(), 8u);
  EXPECT_TRUE(std::is_sorted(accuracies.rbegin(), accuracies.rend())) << text;
}

TEST(SearchRun, moreEvaluationsContinueASearch) {
  TemporaryDirectory directory;
  EXPECT_TRUE(run(directory, smallConfig(20), 1, 0));
  EXPECT_TRUE(run(directory, smallConfig(40), 2, 0));
  EXPECT_EQ(resultsOf(*openSearch(directory)), expectedResults());
}

TEST(SearchRun, oneSearchADirectory) {
  TemporaryDirectory directory;
  SearchDirectory first(directory.path("search"));
  try {
    SearchDirectory second(directory.path("search"));
    FAIL();
  } catch (const StoreError &error) {
    EXPECT_EQ(error.what(), directory.path("search") + ": another losssearch is at work there");
  }
}

TEST(SearchRun, directoriesThatCannotBeMade) {
  try {
    SearchDirectory nowhere("/proc/losssearch");
    FAIL();
  } catch (const StoreError &error) {
    EXPECT_NE(std::string(error.what()).find("/proc/losssearch: cannot be created"),
              std::string::npos);
  }
}

TEST(SearchConfigText, roundTripsAndSaysWhatDiffers) {
  SearchConfig stored = smallConfig();
  EXPECT_EQ(SearchConfig::fromText(stored.toText()).toText(), stored.toText());
  SearchConfig given;
  given.protocol.steps = 50;
  given.seed = 5;
  given.evaluations = 99;
  // Only options that were given count; the seed is the same; evaluations may grow.
  EXPECT_EQ(continueSearch(stored, given, {"seed", "evaluations"}, "runs/x").evaluations, 99);
  try {
    continueSearch(stored, given, {"steps", "seed"}, "runs/x");
    FAIL();
  } catch (const SearchError &error) {
    EXPECT_EQ(std::string(error.what()).substr(0, 79),
              "runs/x holds another search: steps is 1000 there but 50 was given (to continue ");
  }
  EXPECT_THROW(SearchConfig::fromText("{}"), SearchError);
}

TEST(SearchRun, isNotStoredBeforeAWorkerIsReady) {
  TemporaryDirectory directory;
  SearchDirectory locked(directory.path("search"));
  auto store = openSqliteStore(locked.database(), {.create = true});
  RunOptions options = runOptions(directory, 1, 0);
  options.dataDirectory = "nowhere";
  std::atomic<bool> stop = false;
  auto ignore = [](const RunProgress &) {};
  EXPECT_THROW(runSearch(smallConfig(), options, *store, "", std::nullopt, stop, ignore),
               WorkerError);
  EXPECT_EQ(store->runConfig(), std::nullopt);
  options.dataDirectory = "";
  EXPECT_TRUE(runSearch(smallConfig(13), options, *store, "", std::nullopt, stop, ignore));
  EXPECT_EQ(store->runConfig(), smallConfig(13).toText());
}

TEST(SearchRun, tooManyJobsForTheLookahead) {
  TemporaryDirectory directory;
  EXPECT_THROW(run(directory, smallConfig(), 5, 0), SearchError);
}
