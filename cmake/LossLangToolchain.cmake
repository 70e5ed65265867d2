# Compiler, LLVM/MLIR and the helpers every subdirectory uses.

find_package(LLVM 22.1 REQUIRED CONFIG)
find_package(MLIR REQUIRED CONFIG)
list(APPEND CMAKE_MODULE_PATH ${MLIR_CMAKE_DIR} ${LLVM_CMAKE_DIR})
include(TableGen)
include(AddLLVM)
include(AddMLIR)

set(LOSSLANG_LLVM_BIN ${LLVM_TOOLS_BINARY_DIR})
get_filename_component(LOSSLANG_ROOT ${CMAKE_CURRENT_LIST_DIR}/.. ABSOLUTE)

# Fast, reproducible compilation: ccache when present, LLD for every link. ccache sees the paths of this
# checkout as relative ones, so that another checkout finds its objects; not where debugging information
# names the folder.
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime,locale)
  if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
    list(APPEND CMAKE_CXX_COMPILER_LAUNCHER CCACHE_BASEDIR=${LOSSLANG_ROOT} CCACHE_NOHASHDIR=1)
  endif()
  list(APPEND CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
  set(CMAKE_C_COMPILER_LAUNCHER ${CMAKE_CXX_COMPILER_LAUNCHER})
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:SHELL:-Xclang$<SEMICOLON>-fno-pch-timestamp>)
endif()
add_link_options(-fuse-ld=${LOSSLANG_LLVM_BIN}/ld.lld)

# Every target sees the source root ("lang/Ast.h") and the generated tree.
include_directories(${LOSSLANG_ROOT} ${CMAKE_BINARY_DIR})

# losslang_library(NAME SOURCES ... LINK ... [LLVM]): a static library with the project's warnings.
# LLVM: uses LLVM/MLIR headers, linked against the shared libraries (never the static ones).
function(losslang_library name)
  cmake_parse_arguments(ARG "LLVM" "" "SOURCES;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  losslang_flags(${name} ${ARG_LLVM})
  losslang_use_common_headers(${name} ${ARG_LLVM})
  target_link_libraries(${name} PUBLIC ${ARG_LINK})
endfunction()

# losslang_executable(NAME SOURCES ... LINK ... [LLVM])
function(losslang_executable name)
  cmake_parse_arguments(ARG "LLVM" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  losslang_flags(${name} ${ARG_LLVM})
  losslang_use_common_headers(${name} ${ARG_LLVM})
  target_link_libraries(${name} PRIVATE ${ARG_LINK})
endfunction()

function(losslang_flags name llvm)
  target_compile_options(${name} PRIVATE -Wall -Wextra -Wno-unused-parameter)
  if(llvm)
    target_include_directories(${name} SYSTEM PRIVATE ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
    target_compile_definitions(${name} PRIVATE ${LLVM_DEFINITIONS_LIST})
    target_link_libraries(${name} PRIVATE MLIR LLVM)
  endif()
endfunction()

# The precompiled headers (LossLangHeaders.cmake) of most sources.
function(losslang_use_common_headers name llvm)
  if(llvm)
    losslang_use_headers(${name} losslang_llvm_headers)
  else()
    losslang_use_headers(${name} losslang_standard_headers)
  endif()
endfunction()
