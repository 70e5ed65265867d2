//===- SampleCommand.cpp - losssearch sample ------------------------------===//

#include "search/tools/losssearch/Commands.h"

#include "search/driver/SearchConfig.h"

#include <chrono>
#include <cstdio>
#include <numeric>

using namespace loss::search;

namespace {
struct SampleArguments {
  SearchConfig config;
  int64_t count = 10;
  bool unscreened = false, programs = false, silent = false;
};

int sample(const SampleArguments &arguments) {
  if (arguments.count < 1)
    throw SearchError("count must be 1 or more, but is " + std::to_string(arguments.count));
  if (arguments.silent && arguments.programs)
    throw SearchError("programs says how to print losses, but silent prints none");
  auto space = arguments.config.makeSpace();
  Rng rng(arguments.config.seed);
  PhenotypeIndex phenotypes;
  ScreenCounts counts = {};
  auto print = [&](const Genome &genome, Sign sign, int64_t number) {
    if (arguments.silent)
      return;
    std::string text =
        arguments.programs
            ? space->emit(genome, {"sample_" + std::to_string(number), sign,
                                   "losssearch sample, space " + arguments.config.space +
                                       ", seed " + std::to_string(arguments.config.seed) +
                                       ", sample " + std::to_string(number)})
            : space->formula(genome, sign);
    std::printf("%s\n", text.c_str());
  };
  auto begin = std::chrono::steady_clock::now();
  int64_t printed = 0;
  while (printed < arguments.count) {
    Genome genome = space->sample(rng);
    if (arguments.unscreened) {
      print(genome, Sign::Keep, printed++);
      continue;
    }
    Screened screened = screen(*space, genome);
    if (screened.verdict == Verdict::Accepted && phenotypes.find(screened.phenotype))
      screened.verdict = Verdict::Duplicate;
    ++counts[static_cast<int>(screened.verdict)];
    if (screened.verdict != Verdict::Accepted)
      continue;
    phenotypes.add(printed, screened.phenotype);
    print(genome, screened.sign, printed++);
  }
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  int64_t drawn =
      arguments.unscreened ? printed : std::accumulate(counts.begin(), counts.end(), int64_t(0));
  std::fflush(stdout);
  std::fprintf(stderr, "%lld drawn in %.3f s: %.0f a second on one core\n",
               static_cast<long long>(drawn), seconds, static_cast<double>(drawn) / seconds);
  for (int v = 0; v < verdictCount && !arguments.unscreened; ++v)
    std::fprintf(stderr, "%9lld  %5.1f %%  %s\n", static_cast<long long>(counts[v]),
                 100.0 * static_cast<double>(counts[v]) / static_cast<double>(drawn),
                 verdictName(static_cast<Verdict>(v)));
  return 0;
}
} // namespace

void loss::search::addSampleCommand(CLI::App &app, std::function<int()> &chosen) {
  auto arguments = std::make_shared<SampleArguments>();
  CLI::App *command = app.add_subcommand(
      "sample", "Prints random losses of a space, with what the screen did on standard error.");
  command->add_option("--count,-n", arguments->count, "losses to print")->capture_default_str();
  command->add_option("--seed", arguments->config.seed, "seed")->capture_default_str();
  command->add_option("--space", arguments->config.space, "search space")->capture_default_str();
  command->add_option("--sampler", arguments->config.sampler, "construct or rejection")
      ->capture_default_str();
  command->add_flag("--unscreened", arguments->unscreened, "also those that the screen rejects");
  command->add_flag("--programs", arguments->programs, "whole programs instead of formulas");
  command->add_flag("--silent", arguments->silent, "only the statistics");
  command->footer("Example: losssearch sample --count 5 --seed 3 --programs");
  command->callback([arguments, &chosen] { chosen = [arguments] { return sample(*arguments); }; });
}
