#include "runtime/load/LoadLoss.h"
#include "runtime/torch/Loss.h"
#include "test/Paths.h"

#include <gmock/gmock.h>

using testing::HasSubstr;
using torch::Tensor;

namespace {

TEST(LoadLoss, ByNameFromAFileAndFromText) {
  Tensor logits = torch::randn({4, 3}), target = torch::randint(3, {4}, torch::kLong);
  Tensor expected = torch::nn::functional::cross_entropy(logits, target);
  const auto selection = loss::KernelSelection::training();
  losslang::Loss byName(losslang::load("cross_entropy", selection));
  losslang::Loss fromFile(losslang::load(loss::findLibraryLoss("cross_entropy"), selection));
  losslang::Loss fromText(
      losslang::compile("loss t(x: [batch, class], y: target [batch, class]) {"
                        "  return -sum(y * log_softmax(x over class) over class) }",
                        selection));
  losslang::Loss fromLibrary(
      losslang::load(std::string(LOSSLANG_TEST_MODULES) + "/c_cross_entropy.so"));
  for (losslang::Loss &loss :
       {std::ref(byName), std::ref(fromFile), std::ref(fromText), std::ref(fromLibrary)})
    EXPECT_TRUE(torch::allclose(loss(logits, target), expected, 1e-5)) << loss->name();
}

TEST(LoadLoss, NamesWhatItExpected) {
  auto message = [](const std::string &spec, const std::string &alsoKnown = "") {
    try {
      losslang::load(spec, {}, alsoKnown);
    } catch (const loss::runtime::LoadError &error) {
      return std::string(error.what());
    }
    return std::string("(no error)");
  };
  EXPECT_EQ(message("nlg"), "unknown loss 'nlg': expected a file x.so or x.loss, or the name of a "
                            "library loss; did you mean 'ngl'?");
  EXPECT_THAT(message("zzzzzzzz", "torch:x"), HasSubstr("the name of a library loss, or torch:x"));
  EXPECT_THAT(message("/nonexistent.so"), HasSubstr("No such file"));
  EXPECT_THROW(losslang::compile("loss ("), loss::CompileError);
  EXPECT_THROW(losslang::load("/nonexistent.loss"), loss::CompileError);
}

TEST(LoadLoss, HandsOutWarnings) {
  const auto selection = loss::KernelSelection::training();
  std::vector<std::string> warnings = {"from before"};
  losslang::load("cross_entropy", selection, "", &warnings);
  EXPECT_THAT(warnings, testing::IsEmpty());
  losslang::compile("loss f(x: [a, b], z: [a]) { return sum(x over b) }", selection, "f.loss",
                    &warnings);
  EXPECT_THAT(warnings,
              testing::ElementsAre("f.loss:1:19: warning: the input 'z' has no influence on the "
                                   "result [unused-input]\n"
                                   "  loss f(x: [a, b], z: [a]) { return sum(x over b) }\n"
                                   "                    ^\n"));
}

} // namespace
