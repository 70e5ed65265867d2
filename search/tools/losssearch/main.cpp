//===- main.cpp - losssearch: evolves loss functions ----------------------===//

#include "search/tools/losssearch/Commands.h"

#include "compiler/Pipeline/Compiler.h"
#include "runtime/module/LossHandle.h"
#include "search/evaluate/WorkerPool.h"
#include "search/spaces/Space.h"
#include "search/store/Store.h"

#include <cstdio>

using namespace loss::search;

namespace {
// Documented in docs/search.md.
constexpr int exitUser = 2, exitInput = 3, exitInternal = 70;

int report(const std::exception &error, int code) {
  std::fprintf(stderr, "losssearch: error: %s\n", error.what());
  return code;
}
} // namespace

int main(int argc, char **argv) {
  CLI::App app("Evolves loss functions and ranks them by training with each.", "losssearch");
  app.require_subcommand(1);
  app.set_version_flag("--version", "losssearch " LOSSLANG_VERSION);
  app.footer("Each command explains itself: losssearch run --help");
  std::function<int()> chosen;
  addRunCommand(app, chosen);
  addShowCommand(app, chosen);
  addExportCommand(app, chosen);
  addSampleCommand(app, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success &request) {
    return app.exit(request);
  } catch (const CLI::ParseError &error) {
    return report(error, exitUser);
  }
  try {
    return chosen();
  } catch (const SearchError &error) {
    return report(error, exitUser);
  } catch (const loss::CompileError &error) {
    // Rendered already, with file, line and caret.
    std::fputs(error.what(), stderr);
    return exitUser;
  } catch (const loss::runtime::LoadError &error) {
    return report(error, exitUser);
  } catch (const StoreError &error) {
    return report(error, exitInput);
  } catch (const WorkerError &error) {
    return report(error, error.isUserError ? exitUser : exitInput);
  } catch (const std::exception &error) {
    return report(error, exitInternal);
  }
}
