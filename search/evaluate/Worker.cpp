//===- Worker.cpp - evaluates losses for a search -------------------------===//

#include "search/evaluate/Worker.h"

#include "compiler/Pipeline/Compiler.h"
#include "runtime/train/Trainer.h"
#include "search/evaluate/Protocol.h"
#include "search/spaces/Space.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <deque>

#include <sys/socket.h>
#include <unistd.h>

using namespace loss;
using namespace loss::search;

namespace {
/// Lines over a socket.
class LineChannel {
public:
  explicit LineChannel(int descriptor) : descriptor(descriptor) {}

  /// False at the end.
  bool read(std::string &line) {
    for (;;) {
      if (size_t end = buffer.find('\n'); end != std::string::npos) {
        line = buffer.substr(0, end);
        buffer.erase(0, end + 1);
        return true;
      }
      char chunk[65536];
      ssize_t n = recv(descriptor, chunk, sizeof chunk, 0);
      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return false;
      buffer.append(chunk, static_cast<size_t>(n));
    }
  }

  void write(const nlohmann::json &message) {
    // Messages of a loss may hold any bytes; JSON holds UTF-8.
    std::string line =
        message.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    for (size_t sent = 0; sent < line.size();) {
      ssize_t n = send(descriptor, line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
      if (n < 0 && errno != EINTR)
        return;
      sent += n > 0 ? static_cast<size_t>(n) : 0;
    }
  }

private:
  int descriptor;
  std::string buffer;
};

runtime::TrainConfig trainConfig(const Protocol &protocol) {
  using namespace runtime;
  TrainConfig config;
  config.model = protocol.model;
  config.width = protocol.width;
  config.batch = protocol.batch;
  config.steps = protocol.steps;
  config.optimizer = protocol.optimizer == "sgd"    ? OptimizerKind::Sgd
                     : protocol.optimizer == "adam" ? OptimizerKind::Adam
                                                    : OptimizerKind::AdamW;
  config.lr = protocol.lr;
  config.schedule = ScheduleKind::Cosine;
  config.warmup = protocol.warmup;
  config.augment = protocol.augment == "base" ? AugmentKind::Base : AugmentKind::None;
  config.seed = protocol.seed;
  config.threads = 1;
  config.precision = protocol.precision == "f32"    ? PrecisionKind::F32
                     : protocol.precision == "bf16" ? PrecisionKind::BF16
                                                    : PrecisionKind::Auto;
  config.trainSubset = protocol.trainSubset;
  config.validation = ValidationKind::HeldOut;
  config.validationSize = protocol.validation;
  config.evalEvery = protocol.evalEvery;
  config.testAtEnd = false;
  return config;
}

/// Ends trainings that learn nothing.
class EarlyStop {
public:
  explicit EarlyStop(const Protocol &protocol) : protocol(protocol) {}

  runtime::ProgressAction operator()(const runtime::StepRecord &record, int64_t totalSteps) {
    recent.push_back(record.trainAccuracy);
    sum += record.trainAccuracy;
    if (static_cast<int64_t>(recent.size()) > protocol.stopWindow) {
      sum -= recent.front();
      recent.pop_front();
    }
    bool hopeless = protocol.stopBelow > 0 && record.step >= protocol.stopFrom &&
                    record.step < totalSteps &&
                    sum / static_cast<double>(recent.size()) < protocol.stopBelow;
    return hopeless ? runtime::ProgressAction::Stop : runtime::ProgressAction::Continue;
  }

private:
  const Protocol &protocol;
  std::deque<double> recent;
  double sum = 0;
};

class Evaluator {
public:
  Evaluator(const Protocol &protocol, const std::string &dataDirectory)
      : protocol(protocol), config(trainConfig(protocol)),
        data(runtime::loadDataset(protocol.data, dataDirectory)) {
    const std::vector<std::string> &models = runtime::modelNames();
    if (std::find(models.begin(), models.end(), protocol.model) == models.end()) {
      std::string known;
      for (const std::string &name : models)
        known += (known.empty() ? "" : ", ") + name;
      throw SearchError("unknown model '" + protocol.model + "': expected one of " + known);
    }
  }

  /// "fitness" or "failed", "seconds" and "metrics" of one loss.
  nlohmann::json evaluate(const std::string &program) {
    nlohmann::json answer;
    std::shared_ptr<JitModule> code;
    try {
      code = compiler.compile(program, "candidate.loss", KernelSelection::training());
    } catch (const CompileError &error) {
      // The first line says it; the rest shows the place.
      std::string text = error.what();
      return {{"failed", "does not compile: " + text.substr(0, text.find('\n'))}};
    }
    try {
      auto module = std::shared_ptr<const LossModule>(code, &code->module());
      auto handle = runtime::LossHandle::adopt(module, "candidate.loss");
      auto loss = runtime::TrainLoss::compiled(handle);
      EarlyStop earlyStop(protocol);
      runtime::TrainResult result = runtime::train(config, loss, *data, std::ref(earlyStop));
      answer["seconds"] = result.seconds;
      answer["metrics"] = {{"steps", result.steps},
                           {"train-loss", finite(result.finalTrainLoss)},
                           {"final-accuracy", finite(result.finalValAccuracy)},
                           {"seconds-in-loss", result.secondsInLoss},
                           {"precision", result.precision},
                           {"threads", result.threads}};
      switch (result.status) {
      case runtime::RunStatus::Completed:
        answer["fitness"] = result.bestValAccuracy;
        break;
      case runtime::RunStatus::Stopped:
        answer["failed"] = "stopped: training accuracy below " + shortNumber(protocol.stopBelow) +
                           " at step " + std::to_string(result.steps);
        break;
      case runtime::RunStatus::Diverged:
        answer["failed"] = "diverged at step " + std::to_string(result.steps);
        break;
      case runtime::RunStatus::Interrupted:
        answer["failed"] = "interrupted";
        break;
      }
    } catch (const std::exception &error) {
      std::string text = error.what();
      answer["failed"] = "training failed: " + text.substr(0, text.find('\n'));
    }
    return answer;
  }

private:
  static nlohmann::json finite(double value) {
    return std::isfinite(value) ? nlohmann::json(value) : nlohmann::json(nullptr);
  }
  static std::string shortNumber(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%g", value);
    return text;
  }

  const Protocol protocol;
  runtime::TrainConfig config;
  std::shared_ptr<const runtime::Dataset> data;
  Compiler compiler;
};
} // namespace

int loss::search::runWorker(int descriptor) {
  LineChannel channel(descriptor);
  std::string line;
  if (!channel.read(line))
    return 2;
  std::unique_ptr<Evaluator> evaluator;
  auto fatal = [&](const std::exception &error, int exit) {
    channel.write({{"fatal", error.what()}, {"exit", exit}});
    return exit;
  };
  try {
    nlohmann::json greeting = nlohmann::json::parse(line);
    evaluator = std::make_unique<Evaluator>(Protocol::fromJson(greeting.at("protocol")),
                                            greeting.value("data-dir", std::string()));
  } catch (const SearchError &error) {
    return fatal(error, 2);
  } catch (const runtime::ConfigError &error) {
    return fatal(error, 2);
  } catch (const runtime::DataError &error) {
    return fatal(error, 2);
  } catch (const std::exception &error) {
    return fatal(error, 3);
  }
  channel.write({{"ready", true}});
  while (channel.read(line)) {
    nlohmann::json request = nlohmann::json::parse(line);
    nlohmann::json answer = evaluator->evaluate(request.at("program").get<std::string>());
    answer["id"] = request.at("id");
    channel.write(answer);
  }
  return 0;
}
