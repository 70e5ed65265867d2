#include "runtime/module/LossHandle.h"
#include "test/Paths.h"

#include <gmock/gmock.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <optional>
#include <unistd.h>

using namespace loss::runtime;
using testing::HasSubstr;

namespace {

std::string modulePath(const std::string &name) {
  return std::string(LOSSLANG_TEST_MODULES) + "/" + name + ".so";
}

/// The message that opening `path` ends with.
std::string openError(const std::string &path) {
  try {
    LossHandle::open(path);
  } catch (const LoadError &error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << "one line";
    return error.what();
  }
  return "(no error)";
}

struct TempFile {
  explicit TempFile(const std::string &content)
      : path(testing::TempDir() + "losslang-" + std::to_string(getpid()) + ".so") {
    std::ofstream(path, std::ios::binary) << content;
  }
  ~TempFile() { std::filesystem::remove(path); }
  std::string path;
};

std::string readAll(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(LossHandle, OpensAModule) {
  LossHandle loss = LossHandle::open(modulePath("c_cross_entropy"));
  EXPECT_EQ(loss.name(), "c_cross_entropy");
  EXPECT_EQ(loss.mainInput(), 0);
  EXPECT_EQ(loss.targetInput(), 1);
  EXPECT_TRUE(loss.kernel(LOSS_F32, LOSS_TARGET_INDEX, LOSS_VALUE_AND_GRAD));
  EXPECT_FALSE(loss.kernel(LOSS_F32, LOSS_TARGET_NONE, LOSS_VALUE));
  EXPECT_EQ(loss.level(), loss_cpu_level());
}

TEST(LossHandle, RunsAKernelAndStaysLoadedWithACopy) {
  std::optional<LossHandle> first = LossHandle::open(modulePath("c_cross_entropy"));
  LossHandle loss = *first;
  first.reset();
  const double logits[] = {0, 0, 0, 0};
  const int64_t target[] = {2};
  const void *inputs[] = {logits, target};
  const int64_t strides[] = {4, 1}, gradStrides[] = {4};
  double value = 0, grad[4];
  void *grads[] = {grad};
  const int64_t sizes[] = {1, 4};
  const double one = 1;
  LossArgs args = {};
  args.sizes = sizes;
  args.inputs = inputs;
  args.input_strides = strides;
  args.weights = &one;
  args.value = &value;
  args.grads = grads;
  args.grad_strides = gradStrides;
  args.grad_scale = 1;
  KernelRef kernel = loss.kernel(LOSS_F64, LOSS_TARGET_INDEX, LOSS_VALUE_AND_GRAD);
  EXPECT_EQ(kernel.entry(&args, 0, 1, nullptr), -1);
  EXPECT_DOUBLE_EQ(value, std::log(4.0));
  EXPECT_DOUBLE_EQ(grad[2], 0.25 - 1);
}

TEST(LossHandle, BindsParametersByName) {
  LossHandle loss = LossHandle::open(modulePath("c_cross_entropy"));
  EXPECT_EQ(loss.bindParams({}), (std::vector<double>{0.5, 2}));
  EXPECT_EQ(loss.bindParams({{"other", 7}}), (std::vector<double>{0.5, 7}));
  EXPECT_EQ(loss.findInput("y"), 1);
  EXPECT_EQ(loss.findInput("z"), -1);
}

TEST(LossHandle, NamesAnUnknownParameter) {
  LossHandle loss = LossHandle::open(modulePath("c_cross_entropy"));
  try {
    loss.bindParams({{"gama", 1}});
    FAIL();
  } catch (const ParamError &error) {
    EXPECT_STREQ(error.what(),
                 "the loss 'c_cross_entropy' has no parameter 'gama' (it has: unused, "
                 "other)");
  }
  LossHandle without = LossHandle::open(modulePath("weighted_square"));
  EXPECT_THROW(without.bindParams({{"gamma", 1}}), ParamError);
}

TEST(LossHandle, ChecksTheRangeOfAParameter) {
  LossHandle loss = LossHandle::open(modulePath("c_cross_entropy"));
  LossParam params[] = {{"p", "", 1, LOSS_POSITIVE, 0},
                        {"n", "", 1, LOSS_NONNEGATIVE, 0},
                        {"u", "", 1, LOSS_UNIT, 0},
                        {"i", "", 1, LOSS_INTEGER, 0},
                        {"a", "", 1, LOSS_ANY, 0}};
  LossModule changed = loss.module();
  changed.params = params;
  changed.param_count = 5;
  LossHandle ranged = LossHandle::adopt(
      std::shared_ptr<const LossModule>(std::make_shared<LossHandle>(loss), &changed), "ranged");
  const double nan = std::nan(""), inf = INFINITY;
  const std::vector<std::tuple<const char *, std::vector<double>, std::vector<double>>> cases = {
      {"p", {1e-300, inf}, {0, -1, nan}},
      {"n", {0, 2}, {-1e-300, nan}},
      {"u", {0, 1, 0.5}, {-0.1, 1.1, nan}},
      {"i", {-3, 0, 1e300}, {0.5, inf, nan}},
      {"a", {-1, inf}, {nan}}};
  for (const auto &[name, good, bad] : cases) {
    for (double value : good)
      EXPECT_NO_THROW(ranged.bindParams({{name, value}})) << name << " = " << value;
    for (double value : bad)
      EXPECT_THROW(ranged.bindParams({{name, value}}), ParamError) << name << " = " << value;
  }
}

TEST(LossHandle, RefusesWhatIsNoLoss) {
  EXPECT_THAT(openError("/nonexistent/x.so"), HasSubstr("No such file"));
  EXPECT_THAT(openError(testing::TempDir()), HasSubstr("found a directory"));
  EXPECT_THAT(openError(modulePath("no_symbol")), HasSubstr("is no compiled loss"));
  TempFile text("hello, I am a text file that is somewhat longer than a header of an ELF file is.");
  EXPECT_THAT(openError(text.path), HasSubstr("another kind of file"));
  TempFile empty("");
  EXPECT_THAT(openError(empty.path), HasSubstr("another kind of file"));
}

TEST(LossHandle, RefusesATruncatedLibrary) {
  const std::string whole = readAll(modulePath("c_cross_entropy"));
  for (size_t size : {size_t(20), size_t(100), whole.size() / 3, whole.size() / 2}) {
    TempFile part(whole.substr(0, size));
    EXPECT_THAT(openError(part.path), HasSubstr("truncated")) << size;
  }
}

TEST(LossHandle, RefusesAnotherProcessorsLibrary) {
  std::string bytes = readAll(modulePath("c_cross_entropy"));
  bytes[18] = char(0xb7); // e_machine: AArch64
  TempFile other(bytes);
  EXPECT_THAT(openError(other.path), HasSubstr("for another processor"));
}

TEST(LossHandle, RefusesOtherVersionsAndDamage) {
  EXPECT_THAT(openError(modulePath("other_version")),
              HasSubstr("expected interface version 2, but found version 99"));
  EXPECT_THAT(openError(modulePath("wrong_magic")), HasSubstr("wrong magic number"));
  EXPECT_THAT(openError(modulePath("no_code")), HasSubstr("has no kernel for this processor"));
}

TEST(LossHandle, AdoptsAModuleInMemory) {
  auto opened = std::make_shared<LossHandle>(LossHandle::open(modulePath("c_cross_entropy")));
  std::shared_ptr<const LossModule> module(opened, &opened->module());
  LossHandle loss = LossHandle::adopt(module, "in memory");
  EXPECT_EQ(loss.origin(), "in memory");
  EXPECT_EQ(opened.use_count(), 3) << "the loss keeps its owner";
  EXPECT_THROW(LossHandle::adopt(nullptr, "nothing"), LoadError);

  LossModule damaged = *module;
  damaged.inputs = nullptr;
  EXPECT_THROW(LossHandle::adopt(std::shared_ptr<const LossModule>(opened, &damaged), "damaged"),
               LoadError);
}

} // namespace
