"""lit configuration of the GoogleTest executables: each of their tests counts as one."""

import lit.formats

config.name = "LossLang-unit"
config.suffixes = []
config.test_source_root = config.losslang_unittests
config.test_exec_root = config.losslang_unittests
config.test_format = lit.formats.GoogleTest(".", ".unittest")
config.environment["OMP_NUM_THREADS"] = "1"
