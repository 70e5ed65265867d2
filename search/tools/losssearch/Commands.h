//===- Commands.h - the commands of losssearch ------------------*- C++ -*-===//
#ifndef LOSSLANG_SEARCH_TOOLS_LOSSSEARCH_COMMANDS_H
#define LOSSLANG_SEARCH_TOOLS_LOSSSEARCH_COMMANDS_H

#include <CLI/CLI.hpp>

#include <functional>

namespace loss::search {

/// Each adds a command to the command line. Once it was parsed, `chosen` does what the user asked
/// for and returns the exit code.
void addRunCommand(CLI::App &app, std::function<int()> &chosen);
void addShowCommand(CLI::App &app, std::function<int()> &chosen);
void addExportCommand(CLI::App &app, std::function<int()> &chosen);
void addSampleCommand(CLI::App &app, std::function<int()> &chosen);

} // namespace loss::search

#endif // LOSSLANG_SEARCH_TOOLS_LOSSSEARCH_COMMANDS_H
