// Worker processes: a crash, a hang or a memory blow-up costs one evaluation.

#include "search/evaluate/WorkerPool.h"

#include <gtest/gtest.h>

#include <map>

using namespace loss::search;

namespace {
WorkerOptions options(int count, const char *dataDirectory = "") {
  WorkerOptions result;
  result.command = {SEARCH_TEST_WORKER};
  result.greeting = std::string(R"({"protocol": {}, "data-dir": ")") + dataDirectory + "\"}";
  result.count = count;
  return result;
}

/// Evaluates all programs; outcomes by number.
std::map<int64_t, Outcome> evaluate(WorkerPool &pool, const std::vector<std::string> &programs) {
  std::map<int64_t, Outcome> outcomes;
  size_t next = 0;
  while (outcomes.size() < programs.size()) {
    while (next < programs.size() && pool.hasFree()) {
      pool.submit(static_cast<int64_t>(next), programs[next]);
      ++next;
    }
    for (const Outcome &outcome : pool.wait(std::chrono::milliseconds(100)))
      EXPECT_TRUE(outcomes.emplace(outcome.id, outcome).second);
  }
  return outcomes;
}
} // namespace

TEST(WorkerPool, evaluates) {
  WorkerPool pool(options(2));
  auto outcomes = evaluate(pool, {"a", "b", "c", "d", "e", "fail"});
  EXPECT_EQ(outcomes.size(), 6u);
  EXPECT_TRUE(outcomes[0].fitness);
  EXPECT_EQ(outcomes[0].seconds, 0.5);
  EXPECT_FALSE(outcomes[5].fitness);
  EXPECT_EQ(outcomes[5].reason, "diverged at step 3");
  EXPECT_EQ(pool.running(), 0);
}

TEST(WorkerPool, aCrashCostsOneEvaluation) {
  WorkerPool pool(options(2));
  auto outcomes = evaluate(pool, {"a", "crash", "b", "exit", "c", "garbage", "d"});
  for (int64_t fine : {0, 2, 4, 6})
    EXPECT_TRUE(outcomes[fine].fitness) << outcomes[fine].reason;
  EXPECT_EQ(outcomes[1].reason, "the worker ended by signal 11 (Segmentation fault)");
  EXPECT_EQ(outcomes[3].reason, "the worker ended with exit code 5");
  EXPECT_EQ(outcomes[5].reason, "the worker answered 'what?'");
}

TEST(WorkerPool, aHangIsEnded) {
  WorkerOptions limited = options(2);
  limited.timeout = std::chrono::seconds(1);
  WorkerPool pool(limited);
  auto outcomes = evaluate(pool, {"hang", "a", "b"});
  EXPECT_EQ(outcomes[0].reason, "took longer than 1 s");
  EXPECT_TRUE(outcomes[1].fitness);
  EXPECT_TRUE(outcomes[2].fitness);
}

TEST(WorkerPool, aMemoryBlowUpIsEnded) {
  WorkerOptions limited = options(1);
  limited.memoryLimit = 150;
  WorkerPool pool(limited);
  auto outcomes = evaluate(pool, {"bloat", "a"});
  EXPECT_EQ(outcomes[0].reason, "took more than 150 MiB of memory");
  EXPECT_TRUE(outcomes[1].fitness);
}

TEST(WorkerPool, aWorkerThatCannotStartIsAnError) {
  auto messageOf = [](const WorkerOptions &wrong, bool isUserError) -> std::string {
    WorkerPool pool(wrong);
    try {
      pool.submit(0, "a");
      for (;;)
        pool.wait(std::chrono::milliseconds(100));
    } catch (const WorkerError &error) {
      EXPECT_EQ(error.isUserError, isUserError);
      return error.what();
    }
  };
  EXPECT_EQ(messageOf(options(1, "nowhere"), true), "nowhere: no such data");
  EXPECT_EQ(messageOf(options(1, "die"), false),
            "the worker " SEARCH_TEST_WORKER " ended with exit code 4 before it was ready");
  WorkerOptions missing = options(1);
  missing.command = {"/no/such/worker"};
  EXPECT_EQ(messageOf(missing, false), "cannot run /no/such/worker: No such file or directory");
}

TEST(WorkerPool, endsItsWorkers) {
  // A pool that goes away while an evaluation hangs does not wait for it.
  auto begin = std::chrono::steady_clock::now();
  {
    WorkerPool pool(options(2));
    pool.submit(0, "hang");
    pool.submit(1, "hang");
    pool.wait(std::chrono::milliseconds(200));
    EXPECT_EQ(pool.running(), 2);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}
