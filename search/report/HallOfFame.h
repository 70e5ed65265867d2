//===- HallOfFame.h - the best losses of a search, for people ---*- C++ -*-===//
#ifndef LOSSLANG_SEARCH_REPORT_HALLOFFAME_H
#define LOSSLANG_SEARCH_REPORT_HALLOFFAME_H

#include "search/driver/SearchRun.h"

namespace loss::search {

/// The configuration in a line, the counts, the best `top` losses as formulas with the baseline in
/// its place among them, and why evaluations failed.
std::string describeSearch(Store &store, const SearchConfig &config, int64_t top);

/// "12 trained, 3 failed, best 0.8412 (cross_entropy 0.8310), 96 of 111 draws rejected ..., 4:10
/// left"
std::string describeProgress(const RunProgress &progress);

} // namespace loss::search

#endif // LOSSLANG_SEARCH_REPORT_HALLOFFAME_H
