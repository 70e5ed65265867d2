//===- library-scan.cpp - every loss at the edges of its arguments --------===//

#include "test/library/Scan.h"

#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <mutex>
#include <set>
#include <thread>

using namespace llvm;
using namespace loss::stress;

static cl::opt<std::string>
    lossc("lossc", cl::desc("The compiler under test (default: that of this program)"));
static cl::list<std::string> without("without", cl::CommaSeparated,
                                     cl::desc("Laws of the simplification to leave out"));
static cl::opt<std::string> stdlib("stdlib", cl::desc("Folder of the losses"), cl::Required);
static cl::opt<std::string>
    formulas("formulas", cl::desc("Folder of the formulas that are right (default: the losses')"));
static cl::list<std::string> only("only", cl::CommaSeparated, cl::desc("Scan these losses alone"));
static cl::opt<bool> few("few", cl::desc("A few points of each kind"));
static cl::opt<bool> names("names", cl::desc("Print only the names of losses with findings"));
static cl::opt<std::string>
    known("known", cl::desc("File of findings that are known: only others are an error"));
static cl::opt<std::string> writeKnown("write-known", cl::desc("Write such a file"));
static cl::opt<unsigned> jobs("jobs", cl::desc("Losses at a time"), cl::init(1));

static std::vector<std::string> lossesIn(const std::string &folder) {
  std::vector<std::string> result;
  std::error_code error;
  for (sys::fs::directory_iterator i(folder, error), end; i != end && !error; i.increment(error))
    if (sys::path::extension(i->path()) == ".loss")
      result.push_back(sys::path::stem(i->path()).str());
  std::sort(result.begin(), result.end());
  return result;
}

/// A finding as a line of the file of known ones.
static std::string lineOf(const Finding &f) {
  return f.loss + ": " + f.element + " " + f.what + ", " + f.kind;
}

static std::set<std::string> readKnown() {
  std::set<std::string> result;
  std::ifstream stream(known.getValue());
  for (std::string line; std::getline(stream, line);)
    if (!line.empty() && line[0] != '#')
      result.insert(line);
  return result;
}

static void print(const std::string &loss, const ScanResult &result) {
  if (result.findings.empty() && result.failure.empty())
    return;
  outs() << loss << "\n";
  if (names)
    return;
  if (!result.failure.empty())
    outs() << "  " << result.failure << "\n";
  for (const Finding &f : result.findings) {
    outs() << (f.isKnown ? "  known: " : "  ") << f.element << " " << f.what << ": found "
           << f.found << ", right " << f.right;
    if (f.ulps)
      outs() << format(" (%.3g ULP, %.3g times the bound)", f.ulps, f.excess);
    outs() << "; " << f.count << " such\n      " << f.words << "\n";
  }
}

int main(int argc, char **argv) {
  cl::ParseCommandLineOptions(
      argc, argv,
      "Compares the losses of a library, at the edges of their arguments, with their "
      "formulas.\nExit code 1: there are findings; 2: a loss cannot be scanned.\n");
  ScanOptions options;
  options.lossc = lossc, options.stdlib = stdlib;
  options.formulas = formulas.empty() ? stdlib : formulas;
  options.disabledLaws.assign(without.begin(), without.end());
  options.few = few;
  std::vector<std::string> losses =
      only.empty() ? lossesIn(stdlib) : std::vector(only.begin(), only.end());
  SmallString<128> folder;
  if (losses.empty() || sys::fs::createUniqueDirectory("library-scan", folder)) {
    errs() << "no losses in " << stdlib << ", or no temporary folder\n";
    return 3;
  }
  options.folder = folder.str().str();
  const std::set<std::string> knownLines = readKnown();
  auto start = std::chrono::steady_clock::now();
  std::vector<ScanResult> results(losses.size());
  std::mutex output;
  std::atomic<size_t> next = 0;
  auto work = [&] {
    for (size_t i; (i = next++) < losses.size();) {
      auto begin = std::chrono::steady_clock::now();
      results[i] = scanLoss(losses[i], options);
      std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
      std::lock_guard lock(output);
      for (Finding &f : results[i].findings)
        f.isKnown = knownLines.count(lineOf(f));
      print(losses[i], results[i]);
      outs().flush();
      errs() << losses[i] << format(" %.1f s\n", taken.count());
    }
  };
  std::vector<std::thread> threads;
  for (unsigned i = 1; i < jobs; ++i)
    threads.emplace_back(work);
  work();
  for (std::thread &thread : threads)
    thread.join();
  sys::fs::remove_directories(folder);

  ScanResult sum;
  size_t found = 0, isNew = 0, failures = 0;
  std::set<std::string> gone = knownLines;
  std::ofstream written;
  if (!writeKnown.empty())
    written.open(writeKnown.getValue());
  for (const ScanResult &r : results) {
    found += !r.findings.empty();
    failures += !r.failure.empty();
    for (const Finding &f : r.findings) {
      isNew += !f.isKnown;
      gone.erase(lineOf(f));
      if (written.is_open())
        written << lineOf(f) << "\n";
    }
    sum.points += r.points, sum.compared += r.compared, sum.limits += r.limits;
    sum.infinite += r.infinite, sum.excepted += r.excepted;
  }
  // What is listed as known or excepted must still be there.
  std::vector<std::string> unused;
  if (only.empty() && !few && !names) {
    unused = unusedExceptions();
    unused.insert(unused.end(), gone.begin(), gone.end());
  }
  if (!names) {
    for (const std::string &row : unused)
      outs() << "listed, but no longer found: " << row << "\n";
    std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    outs() << losses.size() << " losses at " << sum.points << " points: " << sum.compared
           << " numbers compared, " << sum.excepted << " excepted; of the exact numbers "
           << sum.limits << " are limits, " << sum.infinite
           << " infinite; losses with findings: " << found << ", new findings: " << isNew
           << format(", %.0f s\n", taken.count());
  }
  return failures ? 2 : isNew || !unused.empty();
}
