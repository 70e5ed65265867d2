//===- Sha256.h - content addresses -----------------------------*- C++ -*-===//
#ifndef LOSSLANG_SEARCH_STORE_SHA256_H
#define LOSSLANG_SEARCH_STORE_SHA256_H

#include <string>
#include <string_view>

namespace loss::search {

/// SHA-256 (FIPS 180-4) as 64 hexadecimal digits.
std::string sha256(std::string_view data);

} // namespace loss::search

#endif // LOSSLANG_SEARCH_STORE_SHA256_H
