// Every builtin is in the table, callable, documented.
#include "lang/Builtins.h"
#include "LangTesting.h"
#include "test/Paths.h"

#include <filesystem>
#include <regex>
#include <set>

using namespace loss::lang;
using namespace loss::lang::testing;

static std::string callOf(const Builtin &builtin) {
  std::string name(builtin.name);
  switch (builtin.kind) {
  case BuiltinKind::Unary:
    return name + "(x)";
  case BuiltinKind::Binary:
    return name + "(x, w)";
  case BuiltinKind::Ternary:
    return name + "(x, w, k)";
  case BuiltinKind::Query:
    return name + "(class)";
  default:
    return name + "(x over class)";
  }
}

TEST(Builtins, EveryOneTypeChecks) {
  for (const Builtin &builtin : builtins()) {
    std::string call = callOf(builtin);
    // A reduction has the type of the result already; the others are summed.
    std::string text =
        builtin.kind == BuiltinKind::Reduction ? call : "sum(x * " + call + " over class)";
    Outcome outcome = compile(returning(text));
    ASSERT_TRUE(outcome.program) << call << ": " << outcome.firstError().message;
    bool found = false;
    for (const Node &node : outcome.program->nodes)
      found |= node.op == builtin.op;
    EXPECT_TRUE(found) << call;
  }
}

TEST(Builtins, EveryOneIsInTheSpecification) { // [LANG-6.5]
  std::string text = readFile(std::string(LOSSLANG_SOURCE_ROOT) + "/docs/language.md");
  for (const Builtin &builtin : builtins())
    EXPECT_NE(text.find("`" + std::string(builtin.name) + "("), std::string::npos) << builtin.name;
  for (const BuiltinConstant &constant : builtinConstants())
    EXPECT_NE(text.find("`" + std::string(constant.name) + "`"), std::string::npos)
        << constant.name;
}

/// Numbers like "LANG-4.2" in a text; "[LANG-4.2] to [LANG-4.5]" stands for all four.
static void collectRules(const std::string &text, std::set<std::string> &rules) {
  static const std::regex rule("\\[LANG-([0-9]+)\\.([0-9]+)\\](?: to \\[LANG-\\1\\.([0-9]+)\\])?");
  for (std::sregex_iterator match(text.begin(), text.end(), rule), end; match != end; ++match) {
    int first = std::stoi((*match)[2]), last = (*match)[3].matched ? std::stoi((*match)[3]) : first;
    for (int i = first; i <= last; ++i)
      rules.insert("LANG-" + (*match)[1].str() + "." + std::to_string(i));
  }
}

TEST(Builtins, EveryRuleOfTheSpecificationIsCitedByATest) {
  std::set<std::string> cited;
  for (const auto &entry :
       std::filesystem::recursive_directory_iterator(std::string(LOSSLANG_SOURCE_ROOT) + "/test"))
    if (entry.is_regular_file())
      collectRules(readFile(entry.path()), cited);
  std::string text = readFile(std::string(LOSSLANG_SOURCE_ROOT) + "/docs/language.md");
  const std::string start = "\n- [LANG-";
  for (size_t at = text.find(start); at != std::string::npos; at = text.find(start, at + 1)) {
    std::string rule = text.substr(at + 4, text.find(']', at) - at - 4);
    EXPECT_TRUE(cited.count(rule)) << rule;
  }
}

TEST(Builtins, RuleNumbersOfTheSpecificationAreUnique) {
  std::string text = readFile(std::string(LOSSLANG_SOURCE_ROOT) + "/docs/language.md");
  std::set<std::string> seen;
  const std::string start = "\n- [LANG-";
  for (size_t at = text.find(start); at != std::string::npos; at = text.find(start, at + 1)) {
    std::string rule = text.substr(at + 4, text.find(']', at) - at - 4);
    EXPECT_TRUE(seen.insert(rule).second) << rule;
  }
  EXPECT_GT(seen.size(), 50u);
}

TEST(Builtins, FindsTheFormThatWasAskedFor) { // [LANG-5.6]
  EXPECT_EQ(findBuiltin("max", false)->op, Op::max);
  EXPECT_EQ(findBuiltin("max", true)->op, Op::reduce_max);
  EXPECT_EQ(findBuiltin("exp", true)->op, Op::exp);
  EXPECT_EQ(findBuiltin("sum", false)->op, Op::reduce_sum);
  EXPECT_EQ(findBuiltin("nonsense", false), nullptr);
}

TEST(Builtins, EveryOperationHasAName) {
  std::set<std::string_view> names;
  for (const Builtin &builtin : builtins())
    EXPECT_TRUE(names.insert(opName(builtin.op)).second) << builtin.name;
  EXPECT_EQ(opName(Op::Select), "select");
  EXPECT_EQ(opName(Op::reduce_logsumexp), "reduce_logsumexp");
  EXPECT_EQ(opName(Op::log_softmax), "log_softmax");
}
