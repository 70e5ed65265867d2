# Precompiled headers: the headers of other projects that cost most, one set for each kind of source.
#
# A set holds no header of ours, so no edit of ours makes it stale, and a source still includes what it
# uses: with -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON everything compiles as well, only slower.
#
# CMake's own target_precompile_headers() writes a file into the build folder, whose path is then part of
# the precompiled header; no other build folder could take that one, or an object compiled with it, from
# ccache. Here the main file is /dev/null and the headers are options: the result knows no path of ours.

# The flags are those of a library in executables too: one precompiled header serves both.
set(CMAKE_CXX_COMPILE_OPTIONS_PIE ${CMAKE_CXX_COMPILE_OPTIONS_PIC})

# losslang_headers(NAME HEADERS ... [LINK ...] [LLVM]): the precompiled set NAME, with what LINK says of include
# folders and definitions.
function(losslang_headers name)
  cmake_parse_arguments(ARG "LLVM" "" "HEADERS;LINK" ${ARGN})
  if(CMAKE_DISABLE_PRECOMPILE_HEADERS OR NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    return()
  endif()
  add_library(${name} OBJECT EXCLUDE_FROM_ALL /dev/null)
  set_source_files_properties(/dev/null PROPERTIES LANGUAGE CXX)
  losslang_flags(${name} ${ARG_LLVM})
  target_link_libraries(${name} PRIVATE ${ARG_LINK})
  target_compile_options(${name} PRIVATE -x c++-header -fpch-instantiate-templates)
  foreach(header IN LISTS ARG_HEADERS)
    target_compile_options(${name} PRIVATE "SHELL:-include ${header}")
  endforeach()
  set_target_properties(${name} PROPERTIES
    LOSSLANG_PRECOMPILED ${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/${name}.dir/dev/null.o)
endfunction()

# losslang_use_headers(TARGET NAME): the sources of TARGET are compiled with the set NAME, instead of any set
# named before.
function(losslang_use_headers target name)
  if(NOT TARGET ${name})
    return()
  endif()
  get_target_property(precompiled ${name} LOSSLANG_PRECOMPILED)
  get_target_property(previous ${target} LOSSLANG_PRECOMPILED)
  set_target_properties(${target} PROPERTIES LOSSLANG_PRECOMPILED ${precompiled})
  if(NOT previous)
    target_compile_options(${target} PRIVATE
      "$<$<COMPILE_LANGUAGE:CXX>:SHELL:-include-pch $<TARGET_PROPERTY:${target},LOSSLANG_PRECOMPILED>>")
  endif()
  add_dependencies(${target} ${name})
  get_target_property(sources ${target} SOURCES)
  list(FILTER sources EXCLUDE REGEX "\\.o$")
  set_property(SOURCE ${sources} TARGET_DIRECTORY ${target} APPEND PROPERTY OBJECT_DEPENDS ${precompiled})
endfunction()

set(standard_headers
  algorithm array charconv chrono cmath cstdint cstdio cstring deque filesystem fstream functional iostream
  limits map memory numbers numeric optional random set span sstream stdexcept string string_view thread
  unordered_map unordered_set utility variant vector)
set(llvm_headers
  llvm/ADT/MapVector.h
  llvm/ADT/StringExtras.h
  llvm/ADT/TypeSwitch.h
  llvm/Support/FileSystem.h
  llvm/Support/FormatVariadic.h
  llvm/Support/MemoryBuffer.h
  llvm/Support/Path.h
  mlir/Bytecode/BytecodeOpInterface.h
  mlir/Dialect/Arith/IR/Arith.h
  mlir/Dialect/ControlFlow/IR/ControlFlow.h
  mlir/Dialect/Func/IR/FuncOps.h
  mlir/Dialect/LLVMIR/LLVMDialect.h
  mlir/Dialect/Math/IR/Math.h
  mlir/Dialect/SCF/IR/SCF.h
  mlir/Dialect/Vector/IR/VectorOps.h
  mlir/IR/Builders.h
  mlir/IR/BuiltinOps.h
  mlir/IR/ImplicitLocOpBuilder.h
  mlir/IR/Matchers.h
  mlir/IR/Verifier.h
  mlir/Interfaces/FunctionImplementation.h
  mlir/Parser/Parser.h
  mlir/Pass/Pass.h
  mlir/Pass/PassManager.h
  mlir/Transforms/GreedyPatternRewriteDriver.h
  mlir/Transforms/Passes.h)
set(test_headers gmock/gmock.h gtest/gtest.h)

losslang_headers(losslang_standard_headers HEADERS ${standard_headers})
losslang_headers(losslang_llvm_headers LLVM HEADERS ${standard_headers} ${llvm_headers})
if(LOSSLANG_ENABLE_TESTS)
  find_package(GTest REQUIRED CONFIG)
  losslang_headers(losslang_test_headers HEADERS ${standard_headers} ${test_headers} LINK GTest::gtest)
  losslang_headers(losslang_llvm_test_headers LLVM
    HEADERS ${standard_headers} ${llvm_headers} ${test_headers} LINK GTest::gtest)
endif()
