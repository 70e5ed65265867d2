"""lit configuration of the LossLang tests (everything but test/unit, which has its own).

Files ending in .loss, .mlir and .test are tests; helpers lie in folders named Inputs. The RUN lines of
a test are one bash script, joined with && and with pipefail set.

Substitutions
  %stdlib      the library of losses            %source    the source tree
  %examples    docs/examples                    %build     the build tree
  %fashion     Fashion-MNIST in IDX form        %python    the Python that runs lit
  %cc %cxx %cmake  compilers and CMake          %torch_dir  the Python package torch
  %torch_python    the Python with torch        %pytest     pytest in it, with losslang of this build
  %s %S %t %T as always in lit
Features
  torch, pytest, fashion-mnist, x86-64-v3, x86-64-v4, root
"""

import os
import shutil
import sys

import lit.formats

config.name = "LossLang"
config.test_format = lit.formats.ShTest(execute_external=True)
config.suffixes = [".loss", ".mlir", ".test"]
config.excludes = ["Inputs", "messages", "corpus", "CMakeLists.txt", "README.md", "bench"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.losslang_build, "test")

tools = os.path.join(config.losslang_build, "bin")
fashion = "/usr/share/datasets/fashion-mnist"

config.environment["PATH"] = os.pathsep.join(
    [tools, config.llvm_bin, config.environment.get("PATH", "/usr/bin:/bin")]
)
# A test takes one core, so that lit's own parallelism decides; a test of threads asks for them itself.
config.environment["OMP_NUM_THREADS"] = "1"
# Tests see the defaults, not the settings of the person who runs them.
for name in list(config.environment):
    if name.startswith(("LOSSLANG_", "LOSSC_", "LOSSTRAIN_", "LOSSSEARCH_")):
        del config.environment[name]
config.environment["LC_ALL"] = "C.UTF-8"
# What LibTorch says of the Python it lies in (numpy is optional) is not what LossLang says, and which
# plugins of pytest lie there must not matter either.
config.environment["PYTHONWARNINGS"] = "ignore:Failed to initialize NumPy:UserWarning"
config.environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"

# pytest lies where ./dev setup puts it.
with open(os.path.join(config.losslang_source, "dev.d", "versions.env")) as f:
    version = next(line.split("=")[1].strip() for line in f if line.startswith("PYTEST_VERSION="))
cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
pytest_dir = os.path.join(cache, "losslang", "pytest-" + version)
pytest = (
    f"env PYTHONPATH={config.losslang_build}/python:{pytest_dir} PYTHONDONTWRITEBYTECODE=1"
    f" TORCHINDUCTOR_CACHE_DIR=%t.inductor {config.torch_python} -m pytest -q -p no:cacheprovider"
)

# Longer names first: lit replaces them in this order.
for name, value in [
    ("%torch_python", config.torch_python),
    ("%torch_dir", config.torch_dir),
    ("%pytest", pytest),
    ("%examples", os.path.join(config.losslang_source, "docs", "examples")),
    ("%fashion", fashion),
    ("%stdlib", os.path.join(config.losslang_source, "stdlib")),
    ("%source", config.losslang_source),
    ("%python", sys.executable),
    ("%build", config.losslang_build),
    ("%cmake", config.cmake),
    ("%cxx", config.cxx),
    ("%cc", config.cc),
]:
    config.substitutions.append((name + r"\b", value.replace("\\", r"\\")))

# Instruction sets a kernel may be run at here: the flags that loss_cpu_level() asks for.
cpu = set()
with open("/proc/cpuinfo") as f:
    for line in f:
        if line.startswith("flags"):
            cpu = set(line.split(":", 1)[1].split())
            break
v3 = {"avx2", "fma", "bmi1", "bmi2"}
v4 = v3 | {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}
if v3 <= cpu:
    config.available_features.add("x86-64-v3")
if v4 <= cpu:
    config.available_features.add("x86-64-v4")
if config.losslang_torch:
    config.available_features.add("torch")
    if os.path.isdir(pytest_dir):
        config.available_features.add("pytest")
if os.path.isdir(fashion):
    config.available_features.add("fashion-mnist")
if shutil.which("pdflatex"):
    config.available_features.add("pdflatex")
if os.geteuid() == 0:
    # Permissions do not bind root: a test of a read-only folder needs another way or another user.
    config.available_features.add("root")
if not config.losslang_torch:
    # These tools are part of the build with LibTorch only.
    config.excludes += ["losstrain", "losssearch"]
