// A worker that trains nothing: tests use it to see crashes, hangs and kills in milliseconds.
//
//   search-test-worker [LOG [MILLISECONDS]]
//
// Appends a line to LOG for each evaluation that it begins and takes that long for it. The
// program's text says what happens: crash, exit, hang, bloat, garbage, fail; any other gets a
// fitness that is a hash of the text.

#include "search/operators/Random.h"

#include <nlohmann/json.hpp>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace {
void say(const std::string &line) {
  if (write(3, (line + "\n").c_str(), line.size() + 1) < 0)
    std::exit(1);
}
} // namespace

int main(int argc, char **argv) {
  FILE *channel = fdopen(dup(3), "r");
  std::vector<char> buffer(1 << 20);
  bool greeted = false;
  while (fgets(buffer.data(), static_cast<int>(buffer.size()), channel)) {
    nlohmann::json message = nlohmann::json::parse(buffer.data());
    if (!greeted) {
      greeted = true;
      if (message["data-dir"] == "nowhere") {
        say(R"({"fatal": "nowhere: no such data", "exit": 2})");
        return 2;
      }
      if (message["data-dir"] == "die")
        return 4;
      say(R"({"ready": true})");
      continue;
    }
    std::string program = message["program"];
    if (argc > 1) {
      // One write of a short line is whole even if this process is killed.
      int log = open(argv[1], O_WRONLY | O_APPEND | O_CREAT, 0666);
      std::string line = std::to_string(message["id"].get<int64_t>()) + "\n";
      if (write(log, line.c_str(), line.size()) < 0)
        return 1;
      close(log);
    }
    if (argc > 2)
      std::this_thread::sleep_for(std::chrono::milliseconds(std::atoi(argv[2])));
    if (program == "crash")
      raise(SIGSEGV);
    if (program == "exit")
      return 5;
    if (program == "hang")
      std::this_thread::sleep_for(std::chrono::hours(1));
    if (program == "bloat") {
      std::vector<char> memory(300 << 20, 1);
      std::this_thread::sleep_for(std::chrono::hours(1));
      return memory[7];
    }
    if (program == "garbage") {
      say("what?");
      continue;
    }
    uint64_t hash = 1;
    for (char c : program)
      hash = loss::search::mixBits(hash ^ static_cast<unsigned char>(c));
    nlohmann::json answer = {{"id", message["id"]}, {"seconds", 0.5}};
    if (program == "fail" || (program.size() > 20 && hash % 9 == 0))
      answer["failed"] = "diverged at step 3";
    else
      answer["fitness"] = static_cast<double>(hash % 10000) / 10000;
    say(answer.dump());
  }
  return 0;
}
