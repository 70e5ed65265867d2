# Finds LibTorch in a Python installation of torch and defines LossLang::Torch.
#
# Looks, in this order, at -DLOSSLANG_TORCH_PYTHON=PATH, at the python3 of the user's environment, and
# at the per-user cache that `./dev setup` fills. The first with the wanted version is taken.
#
# Torch's own package file is not used: it insists on a CUDA toolkit when the wheel was built with
# CUDA, and links libraries that a CPU program does not need.

set(LOSSLANG_TORCH_VERSION "2.15" CACHE STRING "LibTorch version (major.minor)")
set(LOSSLANG_TORCH_PYTHON "" CACHE FILEPATH "Python interpreter whose torch is used")

# Sets `result` to the folder of torch in the Python `python`, or to why there is none.
function(losslang_torch_probe python result)
  # Reads the version without importing torch, which takes seconds.
  execute_process(
    # Not the isolated environment that pip builds wheels in: the one that the wheel is for.
    COMMAND ${CMAKE_COMMAND} -E env --unset=PYTHONPATH --unset=PYTHONNOUSERSITE ${python} -c "import importlib.metadata as m, importlib.util as u, os
print(m.version('torch') + '|' + os.path.dirname(u.find_spec('torch').origin))"
    OUTPUT_VARIABLE out ERROR_QUIET RESULT_VARIABLE failed OUTPUT_STRIP_TRAILING_WHITESPACE)
  set(${result} "" PARENT_SCOPE)
  if(NOT failed AND out MATCHES "^([0-9]+\\.[0-9]+)[^|]*\\|(.+)$")
    if(CMAKE_MATCH_1 VERSION_EQUAL LOSSLANG_TORCH_VERSION AND EXISTS "${CMAKE_MATCH_2}/lib/libtorch_cpu.so")
      set(${result} "${CMAKE_MATCH_2}" PARENT_SCOPE)
    endif()
  endif()
endfunction()

if(DEFINED ENV{XDG_CACHE_HOME})
  set(_cache "$ENV{XDG_CACHE_HOME}")
else()
  set(_cache "$ENV{HOME}/.cache")
endif()
set(_pythons ${Python_EXECUTABLE} python3 "${_cache}/losslang/venv-torch-2.15.0/bin/python")
if(LOSSLANG_TORCH_PYTHON)
  set(_pythons "${LOSSLANG_TORCH_PYTHON}")
endif()
set(LOSSLANG_TORCH_DIR "")
foreach(_python ${_pythons})
  losslang_torch_probe("${_python}" LOSSLANG_TORCH_DIR)
  if(LOSSLANG_TORCH_DIR)
    set(LOSSLANG_TORCH_INTERPRETER "${_python}" CACHE INTERNAL "The Python interpreter of that LibTorch")
    break()
  endif()
endforeach()
if(NOT LOSSLANG_TORCH_DIR)
  message(FATAL_ERROR "LibTorch ${LOSSLANG_TORCH_VERSION} not found (looked at: ${_pythons}). "
                      "Run ./dev setup, or give -DLOSSLANG_TORCH_PYTHON=PATH, or build without it: "
                      "-DLOSSLANG_ENABLE_TORCH=OFF")
endif()
message(STATUS "LibTorch: ${LOSSLANG_TORCH_DIR}")

# LibTorch's OpenMP runtime, whose threads the adapter shares.
file(GLOB _gomp "${LOSSLANG_TORCH_DIR}/lib/libgomp*.so*" "${LOSSLANG_TORCH_DIR}/../torch.libs/libgomp*.so*")
if(NOT _gomp)
  find_library(LOSSLANG_GOMP NAMES gomp libgomp.so.1 REQUIRED)
  set(_gomp "${LOSSLANG_GOMP}")
endif()
list(GET _gomp 0 _gomp)

add_library(LossLang::Torch INTERFACE IMPORTED GLOBAL)
target_include_directories(LossLang::Torch SYSTEM INTERFACE
  "${LOSSLANG_TORCH_DIR}/include" "${LOSSLANG_TORCH_DIR}/include/torch/csrc/api/include")
target_link_libraries(LossLang::Torch INTERFACE
  "${LOSSLANG_TORCH_DIR}/lib/libtorch_cpu.so" "${LOSSLANG_TORCH_DIR}/lib/libc10.so" "${_gomp}")
target_link_options(LossLang::Torch INTERFACE "-Wl,-rpath,${LOSSLANG_TORCH_DIR}/lib")
