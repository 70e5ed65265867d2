// The SQLite store: rows, addresses, leases, versions, bad files, a full disk.

#include "TemporaryDirectory.h"
#include "search/evaluate/Protocol.h"
#include "search/spaces/Space.h"
#include "search/store/Sha256.h"
#include "search/store/Sqlite.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <csignal>
#include <fstream>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace loss::search;

namespace {
CandidateRow candidate(int64_t index, const std::string &address) {
  CandidateRow row;
  row.index = index;
  row.genome = "genome " + std::to_string(index);
  row.negated = index % 2;
  if (index)
    row.parent = index - 1;
  row.drawn = R"({"accepted":1})";
  row.formula = "formula";
  row.program = "program";
  row.address = address;
  return row;
}

EvaluationRow evaluation(const std::string &address, std::optional<double> fitness) {
  EvaluationRow row;
  row.address = address;
  row.program = "bare program";
  row.protocol = "{}";
  row.fitness = fitness;
  row.reason = fitness ? "" : "diverged at step 3";
  row.seconds = 1.5;
  return row;
}

std::string messageOf(const std::function<void()> &action) {
  try {
    action();
  } catch (const StoreError &error) {
    return error.what();
  }
  return "no error";
}
} // namespace

TEST(Sha256, knownAnswers) {
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256(std::string(1000000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Protocol, addressDependsOnAllThatMatters) {
  Protocol protocol;
  std::string address = evaluationAddress("loss a", protocol);
  EXPECT_EQ(address, evaluationAddress("loss a", protocol));
  EXPECT_EQ(address, evaluationAddress("loss a", protocol.resolved()));
  EXPECT_NE(address, evaluationAddress("loss b", protocol));
  // Each field alone.
  nlohmann::json base = protocol.resolved().toJson();
  for (auto &[name, value] : base.items()) {
    nlohmann::json changed = base;
    if (value.is_string())
      changed[name] = "other";
    else if (value.is_number_float())
      changed[name] = value.get<double>() + 0.5;
    else
      changed[name] = value.get<int64_t>() + 7;
    EXPECT_NE(evaluationAddress("loss a", Protocol::fromJson(changed)), address) << name;
  }
}

TEST(Protocol, jsonRoundTripsAndIsChecked) {
  Protocol protocol;
  protocol.steps = 77;
  protocol.model = "resnet9";
  EXPECT_EQ(Protocol::fromJson(protocol.toJson()), protocol);
  nlohmann::json json = protocol.toJson();
  json["further"] = 1;
  EXPECT_THROW(Protocol::fromJson(json), SearchError);
  json.erase("further");
  json.erase("steps");
  EXPECT_THROW(Protocol::fromJson(json), SearchError);
  json["steps"] = "many";
  EXPECT_THROW(Protocol::fromJson(json), SearchError);
  protocol.optimizer = "adm";
  try {
    protocol.check();
    FAIL();
  } catch (const SearchError &error) {
    EXPECT_STREQ(error.what(), "unknown optimizer 'adm': expected one of sgd, adam, adamw");
  }
}

TEST(Store, remembersEverything) {
  TemporaryDirectory directory;
  std::string path = directory.path("search.db");
  {
    auto store = openSqliteStore(path, {.create = true});
    EXPECT_EQ(store->runConfig(), std::nullopt);
    store->createRun("{}");
    for (int64_t i = 0; i < 4; ++i)
      store->addCandidate(candidate(i, "address " + std::to_string(i)));
    store->finish(evaluation("address 0", 0.5));
    store->finish(evaluation("address 1", std::nullopt));
    store->finish(evaluation("address 3", 0.75));
    store->setBaseline({"cross_entropy", "text", "address 9"});
  }
  auto store = openSqliteStore(path, {.readOnly = true});
  EXPECT_EQ(store->runConfig(), "{}");
  auto rows = store->candidates();
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows[3].genome, "genome 3");
  EXPECT_TRUE(rows[3].negated);
  EXPECT_EQ(rows[3].parent, 2);
  EXPECT_EQ(rows[0].parent, std::nullopt);
  EXPECT_EQ(store->evaluation("address 1")->reason, "diverged at step 3");
  EXPECT_EQ(store->evaluation("address 1")->fitness, std::nullopt);
  EXPECT_EQ(store->evaluation("address 2"), std::nullopt);
  auto best = store->best(10);
  ASSERT_EQ(best.size(), 2u);
  EXPECT_EQ(best[0].candidate.index, 3);
  EXPECT_EQ(best[0].evaluation.fitness, 0.75);
  EXPECT_EQ(best[1].candidate.index, 0);
  EXPECT_EQ(store->baselines().at(0).name, "cross_entropy");
  StoreCounts counts = store->counts();
  EXPECT_EQ(counts.candidates, 4);
  EXPECT_EQ(counts.evaluated, 3);
  EXPECT_EQ(counts.failed, 1);
  auto events = store->events();
  ASSERT_EQ(events.size(), 8u);
  EXPECT_EQ(events.front().kind, "run-created");
  EXPECT_EQ(events.back().kind, "evaluated");
  EXPECT_EQ(events[6].detail, "address 1 diverged at step 3");
}

TEST(Store, candidatesComeInOrder) {
  TemporaryDirectory directory;
  auto store = openSqliteStore(directory.path("search.db"), {.create = true});
  store->createRun("{}");
  store->addCandidate(candidate(0, "a"));
  EXPECT_NE(messageOf([&] { store->addCandidate(candidate(0, "a")); }).find("candidate 1"),
            std::string::npos);
  EXPECT_EQ(store->candidates().size(), 1u);
}

TEST(Store, equalLossesAreRankedOnce) {
  TemporaryDirectory directory;
  auto store = openSqliteStore(directory.path("search.db"), {.create = true});
  store->createRun("{}");
  store->addCandidate(candidate(0, "same"));
  store->addCandidate(candidate(1, "same"));
  store->finish(evaluation("same", 0.5));
  EXPECT_EQ(store->best(10).size(), 1u);
  // The first result stays.
  store->finish(evaluation("same", 0.9));
  EXPECT_EQ(store->evaluation("same")->fitness, 0.5);
}

TEST(Store, leases) {
  TemporaryDirectory directory;
  auto store = openSqliteStore(directory.path("search.db"), {.create = true});
  store->createRun("{}");
  using std::chrono::milliseconds;
  EXPECT_TRUE(store->lease("a", "one", milliseconds(60000)));
  EXPECT_TRUE(store->lease("a", "one", milliseconds(60000)));
  EXPECT_FALSE(store->lease("a", "two", milliseconds(60000)));
  EXPECT_TRUE(store->lease("b", "one", milliseconds(0)));
  // Expired, so another may have it.
  EXPECT_TRUE(store->lease("b", "two", milliseconds(60000)));
  store->releaseLeases("one");
  EXPECT_TRUE(store->lease("a", "two", milliseconds(60000)));
  EXPECT_FALSE(store->lease("b", "one", milliseconds(60000)));
  store->finish(evaluation("b", 0.5));
  // Done is done.
  EXPECT_FALSE(store->lease("b", "two", milliseconds(60000)));
  store->releaseAllLeases();
  EXPECT_TRUE(store->lease("a", "three", milliseconds(60000)));
}

TEST(Store, isReadWhileItIsWritten) {
  TemporaryDirectory directory;
  std::string path = directory.path("search.db");
  auto writer = openSqliteStore(path, {.create = true});
  writer->createRun("{}");
  auto reader = openSqliteStore(path, {.readOnly = true});
  for (int64_t i = 0; i < 5; ++i) {
    writer->addCandidate(candidate(i, std::to_string(i)));
    EXPECT_EQ(reader->counts().candidates, i + 1);
  }
}

TEST(Store, badFiles) {
  TemporaryDirectory directory;
  std::string missing = directory.path("missing.db");
  EXPECT_EQ(messageOf([&] { openSqliteStore(missing); }),
            missing + ": unable to open database file");
  std::string text = directory.path("text.db");
  std::ofstream(text) << std::string(5000, 'x');
  EXPECT_EQ(messageOf([&] { openSqliteStore(text); }),
            text + ": is not a search database, or is damaged");
  std::string empty = directory.path("empty.db");
  std::ofstream(empty).flush();
  EXPECT_EQ(messageOf([&] { openSqliteStore(empty); }), empty + ": holds no search");
  std::string other = directory.path("other.db");
  SqliteDatabase(other, {.create = true}).execute("CREATE TABLE t (x INTEGER)");
  EXPECT_EQ(messageOf([&] { openSqliteStore(other); }),
            other + ": is a database of another program");
  std::string newer = directory.path("newer.db");
  openSqliteStore(newer, {.create = true});
  SqliteDatabase(newer, {}).execute("UPDATE schema_version SET version = 2");
  EXPECT_EQ(messageOf([&] { openSqliteStore(newer); }),
            newer + ": was written by a newer losssearch (schema version 2, this one knows 1): use "
                    "that one");
}

TEST(Store, aFullDiskIsReportedAndLosesNothing) {
  TemporaryDirectory directory;
  std::string path = directory.path("search.db");
  auto count = [&] { return openSqliteStore(path, {.readOnly = true})->counts().candidates; };
  openSqliteStore(path, {.create = true})->createRun("{}");
  // In a process whose files may not grow: SQLite sees what a full disk shows.
  pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    auto store = openSqliteStore(path);
    for (int64_t i = 0; i < 3; ++i)
      store->addCandidate(candidate(i, std::to_string(i)));
    rlimit limit = {100000, 100000};
    setrlimit(RLIMIT_FSIZE, &limit);
    std::string message = messageOf([&] {
      for (int64_t i = 3; i < 5000; ++i) {
        CandidateRow row = candidate(i, std::to_string(i));
        row.program = std::string(20000, 'x');
        store->addCandidate(row);
      }
    });
    bool clear = message.find("search.db: ") != std::string::npos &&
                 message.find("disk") != std::string::npos &&
                 message.find('\n') == std::string::npos;
    _exit(clear ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_GE(count(), 3);
  // And it goes on where there is room again.
  int64_t next = count();
  openSqliteStore(path)->addCandidate(candidate(next, "after"));
  EXPECT_EQ(count(), next + 1);
}
