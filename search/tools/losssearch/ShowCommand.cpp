//===- ShowCommand.cpp - losssearch show and export -----------------------===//

#include "search/tools/losssearch/Commands.h"

#include "search/report/HallOfFame.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <unistd.h>

using namespace loss::search;

namespace {
std::unique_ptr<Store> openSearch(const std::string &directory) {
  std::string path = SearchDirectory::databaseIn(directory);
  if (!std::filesystem::exists(path))
    throw StoreError(directory + ": holds no search (no search.db); 'losssearch run " + directory +
                     "' begins one");
  return openSqliteStore(path, {.readOnly = true});
}

/// Writes beside the file, then renames: nobody ever sees half a file.
void writeFile(const std::string &path, const std::string &text) {
  std::string temporary = path + ".tmp" + std::to_string(getpid());
  std::ofstream file(temporary, std::ios::binary);
  file << text;
  file.close();
  if (!file || std::rename(temporary.c_str(), path.c_str())) {
    int error = errno;
    std::remove(temporary.c_str());
    throw StoreError(path + ": cannot be written: " + strerror(error));
  }
}

int show(const std::string &directory, int64_t top) {
  if (top < 1)
    throw SearchError("top must be 1 or more, but is " + std::to_string(top));
  auto store = openSearch(directory);
  auto config = store->runConfig();
  if (!config)
    throw StoreError(directory + ": holds no search yet");
  std::printf("%s", describeSearch(*store, SearchConfig::fromText(*config), top).c_str());
  return 0;
}

int exportLoss(const std::string &directory, int64_t rank, const std::string &output) {
  auto store = openSearch(directory);
  int64_t trained = store->counts().evaluated - store->counts().failed;
  if (rank < 1)
    throw SearchError("the rank must be 1 or more, but is " + std::to_string(rank));
  auto ranked = store->best(rank);
  if (static_cast<int64_t>(ranked.size()) < rank)
    throw SearchError(directory + " has no loss of rank " + std::to_string(rank) + ": " +
                      std::to_string(trained) + " were trained");
  const RankedRow &row = ranked.back();
  if (output == "-")
    std::printf("%s", row.candidate.program.c_str());
  else
    writeFile(output, row.candidate.program);
  return 0;
}
} // namespace

void loss::search::addShowCommand(CLI::App &app, std::function<int()> &chosen) {
  struct Arguments {
    std::string directory;
    int64_t top = 20;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App *command = app.add_subcommand("show", "Prints the best losses of a search.");
  command->add_option("DIR", arguments->directory, "directory of the search")->required();
  command->add_option("--top", arguments->top, "how many")->capture_default_str();
  command->footer("Example: losssearch show runs/first --top 5");
  command->callback([arguments, &chosen] {
    chosen = [arguments] { return show(arguments->directory, arguments->top); };
  });
}

void loss::search::addExportCommand(CLI::App &app, std::function<int()> &chosen) {
  struct Arguments {
    std::string directory, output;
    int64_t rank = 1;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App *command = app.add_subcommand("export", "Writes a found loss as a .loss file.");
  command->add_option("DIR", arguments->directory, "directory of the search")->required();
  command->add_option("RANK", arguments->rank, "place in 'losssearch show'")->required();
  command->add_option("-o,--output", arguments->output, "file to write, - for standard output")
      ->required();
  command->footer("Example: losssearch export runs/first 1 -o best.loss");
  command->callback([arguments, &chosen] {
    chosen = [arguments] {
      return exportLoss(arguments->directory, arguments->rank, arguments->output);
    };
  });
}
