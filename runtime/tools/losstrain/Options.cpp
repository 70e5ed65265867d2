#include "runtime/tools/losstrain/Options.h"
#include "runtime/train/Config.h"

#include <CLI/CLI.hpp>

#include <charconv>
#include <iostream>

namespace loss::runtime {
namespace {

/// An option whose value is one of the names of an enumeration.
template <typename Enum>
CLI::Option *addEnum(CLI::App &app, const std::string &flags, Enum &value,
                     const std::vector<std::string> &names, const std::string &help) {
  auto *option = app.add_option_function<std::string>(
      flags,
      [&value, &names](const std::string &text) {
        const auto found = std::find(names.begin(), names.end(), text);
        value = static_cast<Enum>(found - names.begin());
      },
      help);
  return option->check(CLI::IsMember(names))
      ->default_str(names.at(static_cast<size_t>(value)))
      ->type_name("");
}

/// Accepts the texts of unsigned numbers: the library would take -1 for 2^64 - 1.
CLI::Validator wholeNumber() {
  return CLI::Validator(
      [](std::string &text) -> std::string {
        uint64_t value = 0;
        const char *end = text.data() + text.size();
        const auto [rest, status] = std::from_chars(text.data(), end, value);
        if (status == std::errc() && rest == end)
          return {};
        return "expected a whole number from 0 to 18446744073709551615, but found '" + text + "'";
      },
      "");
}

ParamValues parseParams(const std::vector<std::string> &texts) {
  ParamValues params;
  for (const std::string &text : texts) {
    const size_t equals = text.find('=');
    char *end = nullptr;
    const double value = equals == std::string::npos ? 0 : std::strtod(&text[equals + 1], &end);
    if (!end || end == &text[equals + 1] || *end || equals == 0)
      throw CLI::ValidationError("--param", "expected NAME=NUMBER, but found '" + text + "'");
    const std::string name = text.substr(0, equals);
    for (const auto &[other, before] : params)
      if (other == name)
        throw CLI::ValidationError("--param", "'" + name + "' was given twice");
    params.emplace_back(name, value);
  }
  return params;
}

void addTraining(CLI::App &app, TrainOptions &o) {
  TrainConfig &c = o.config;
  app.add_option("--model", c.model, "Network")->check(CLI::IsMember(modelNames()))->type_name("");
  app.add_option("--width", c.width, "Channels of the first layer (0: the network's own)")
      ->check(CLI::Range(0, 4096));
  app.add_option("--data", o.data, "Data set")->check(CLI::IsMember(datasetNames()))->type_name("");
  app.add_option("--data-dir", o.dataDir, "Folder of the data set's files");
  app.add_option("--batch", c.batch, "Images a step");
  app.add_option("--epochs", c.epochs, "Length in epochs");
  app.add_option("--steps", c.steps, "Length in steps (instead of --epochs)");
  addEnum(app, "--optimizer", c.optimizer, optimizerNames(), "Optimizer; sgd is Nesterov's");
  app.add_option("--lr", c.lr, "Learning rate at its highest");
  app.add_option("--momentum", c.momentum, "Momentum of sgd");
  app.add_option("--weight-decay", c.weightDecay, "Weight decay");
  addEnum(app, "--schedule", c.schedule, scheduleNames(), "Learning rate after the warm-up");
  app.add_option("--warmup", c.warmup, "Steps of warm-up from 0 (-1: 5 % for onecycle, else none)")
      ->check(CLI::Range(int64_t(-1), int64_t(1) << 40));
  addEnum(app, "--augment", c.augment, augmentNames(), "base: pad by 4, random crop, random flip");
  app.add_option("--seed", c.seed, "Seed of everything random")->check(wholeNumber());
  app.add_option(
      "--threads", c.threads,
      "Threads, the same for the whole run (0: as LibTorch chooses, or of the run to resume)");
  addEnum(app, "--precision", c.precision, precisionNames(),
          "Numbers of the network; auto: bf16 where the processor has it");
  app.add_option("--train-subset", c.trainSubset, "Use only N training images (0: all)");
  addEnum(app, "--val-split", c.validation, validationNames(), "Where validation images come from");
  app.add_option("--val-size", c.validationSize, "Validation images (0: 5000, or the test images)");
  app.add_option("--eval-every", c.evalEvery, "Steps between validations (0: an epoch)");
  app.add_option("--checkpoint-every", c.checkpointEvery,
                 "Steps between checkpoints (0: only at the end or on interruption)");
  app.add_flag("--resume", c.resume, "Continue the run in --out where its checkpoint ends");
}

/// Throws for options that were given and change nothing beside the others.
void checkUsed(const CLI::App &app, const TrainOptions &options) {
  const TrainConfig &c = options.config;
  auto given = [&](const char *name) { return app.get_option(name)->count() > 0; };
  auto refuse = [&](const char *name, const std::string &why) {
    if (given(name))
      throw CLI::ValidationError(name, why);
  };
  if (c.optimizer != OptimizerKind::Sgd)
    refuse("--momentum", "is of --optimizer sgd, but the optimizer is " +
                             optimizerNames()[static_cast<size_t>(c.optimizer)]);
  if (c.steps > 0)
    refuse("--epochs", "and --steps say how long the training is: give one of them");
  if (options.out.empty()) {
    refuse("--resume", "needs --out, the folder of the run");
    refuse("--overwrite", "needs --out, the folder of the run");
    refuse("--checkpoint-every", "needs --out, the folder of the run");
  }
  if (c.resume)
    refuse("--overwrite", "and --resume contradict each other");
}

/// Throws for options of a training before `table`.
void checkTable(const CLI::App &app) {
  for (const CLI::Option *option : app.get_options())
    if (option->count())
      throw CLI::ValidationError(option->get_name(), "is of a training, not of table");
}

} // namespace

int parseOptions(int argc, char **argv, TrainOptions &options) {
  CLI::App app("Trains a network on images with a loss.\n"
               "Example: losstrain --loss ngl --model resnet9 --width 16 --steps 500 --out run");
  app.option_defaults()->always_capture_default();
  app.set_version_flag("--version", "losstrain " LOSSLANG_VERSION);
  app.add_option("--loss", options.loss,
                 "x.so, x.loss, the name of a library loss, or torch:cross_entropy");
  std::vector<std::string> params;
  app.add_option("--param", params, "Parameter of the loss, NAME=NUMBER; may be repeated")
      ->type_name("NAME=NUMBER");
  addTraining(app, options);
  app.add_option("--out", options.out, "Folder for config.json, metrics.csv, summary.json");
  app.add_flag("--overwrite", options.overwrite, "Replace a run that is already in --out");
  app.add_flag("-q,--quiet", options.quiet, "Print no progress");
  CLI::App *table = app.add_subcommand("table", "Compare finished runs, the first with the others");
  table->add_option("RUN", options.tableRuns, "Folders of runs")->required();
  try {
    app.parse(argc, argv);
    options.params = parseParams(params);
    if (!table->parsed() && options.loss.empty())
      throw CLI::RequiredError("--loss");
    table->parsed() ? checkTable(app) : checkUsed(app, options);
  } catch (const CLI::Success &asked) {
    return app.exit(asked);
  } catch (const CLI::ParseError &error) {
    std::cerr << "losstrain: error: " << error.what() << " (see losstrain --help)\n";
    return 2;
  }
  return -1;
}

} // namespace loss::runtime
