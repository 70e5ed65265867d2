#include "runtime/train/Checkpoint.h"
#include "runtime/train/AtomicFile.h"

#include <nlohmann/json.hpp>

#include <limits>
#include <sstream>

namespace loss::runtime {
namespace {

constexpr int64_t formatVersion = 1;
constexpr int64_t recordFields = 8;

torch::Tensor packHistory(const std::vector<StepRecord> &history) {
  torch::Tensor packed =
      torch::empty({static_cast<int64_t>(history.size()), recordFields}, torch::kDouble);
  double *to = packed.mutable_data_ptr<double>();
  for (const StepRecord &r : history)
    for (double value :
         {static_cast<double>(r.step), static_cast<double>(r.epoch), r.trainLoss, r.trainAccuracy,
          r.lr, r.valAccuracy.value_or(std::numeric_limits<double>::quiet_NaN()), r.seconds,
          r.secondsInLoss})
      *to++ = value;
  return packed;
}

std::vector<StepRecord> unpackHistory(const torch::Tensor &packed) {
  TORCH_CHECK(packed.dim() == 2 && packed.size(1) == recordFields &&
              packed.scalar_type() == torch::kDouble && packed.is_contiguous());
  std::vector<StepRecord> history(packed.size(0));
  const double *from = packed.const_data_ptr<double>();
  for (StepRecord &r : history) {
    r.step = static_cast<int64_t>(from[0]);
    r.epoch = static_cast<int64_t>(from[1]);
    r.trainLoss = from[2];
    r.trainAccuracy = from[3];
    r.lr = from[4];
    if (from[5] == from[5])
      r.valAccuracy = from[5];
    r.seconds = from[6];
    r.secondsInLoss = from[7];
    from += recordFields;
  }
  return history;
}

/// "lr was 0.1 and is 0.2", or empty.
std::string firstDifference(const std::string &before, const std::string &now) {
  if (before == now)
    return {};
  const auto was = nlohmann::ordered_json::parse(before), is = nlohmann::ordered_json::parse(now);
  for (const auto &[key, value] : is.items())
    if (!was.contains(key) || was[key] != value)
      return key + " was " + (was.contains(key) ? was[key].dump() : "not known") + " and is " +
             value.dump();
  return "it has other fields";
}

/// Calls `read(archive, configuration)` for a checkpoint. Throws StorageError when it is damaged.
template <typename Read> void readCheckpoint(const std::string &path, Read read) {
  std::istringstream bytes(readWholeFile(path));
  torch::serialize::InputArchive archive;
  try {
    archive.load_from(bytes);
    torch::IValue version, configuration;
    archive.read("version", version);
    archive.read("configuration", configuration);
    if (version.toInt() != formatVersion)
      throw StorageError(path + ": expected a checkpoint of version " +
                         std::to_string(formatVersion) + ", but found version " +
                         std::to_string(version.toInt()));
    read(archive, configuration.toStringRef());
  } catch (const c10::Error &) {
    throw StorageError(path + ": the checkpoint is damaged or no checkpoint at all");
  } catch (const nlohmann::json::exception &) {
    throw StorageError(path + ": the checkpoint is damaged");
  }
}

} // namespace

void saveCheckpoint(const std::string &path, const std::string &configuration,
                    const TrainState &state) {
  torch::serialize::OutputArchive archive, network, optimizer;
  archive.write("version", torch::IValue(formatVersion));
  archive.write("configuration", torch::IValue(configuration));
  archive.write("history", packHistory(state.history), true);
  state.network->save(network);
  archive.write("network", network);
  state.optimizer->save(optimizer);
  archive.write("optimizer", optimizer);
  std::ostringstream bytes;
  archive.save_to(bytes);
  writeFileAtomically(path, bytes.str());
}

int recordedThreads(const std::string &path) {
  int threads = 0;
  readCheckpoint(path, [&](const auto &, const std::string &configuration) {
    threads = nlohmann::json::parse(configuration).at("threads").get<int>();
  });
  return threads;
}

void loadCheckpoint(const std::string &path, const std::string &configuration, TrainState &state) {
  readCheckpoint(path, [&](auto &archive, const std::string &stored) {
    if (const std::string difference = firstDifference(stored, configuration); !difference.empty())
      throw ConfigError(path + ": the checkpoint belongs to another configuration: " + difference);
    torch::Tensor history;
    archive.read("history", history, true);
    state.history = unpackHistory(history);
    torch::serialize::InputArchive network, optimizer;
    archive.read("network", network);
    state.network->load(network);
    archive.read("optimizer", optimizer);
    state.optimizer->load(optimizer);
  });
}

} // namespace loss::runtime
