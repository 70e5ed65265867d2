# cmake --install: lossc and the library of losses; headers and libraries for C and C++ with a package
# file, so that a project says find_package(LossLang) and links LossLang::runtime or LossLang::torch.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/LossLang)

install(TARGETS lossc RUNTIME COMPONENT tools)
set_target_properties(lossc PROPERTIES INSTALL_RPATH ${LLVM_LIBRARY_DIR})
install(DIRECTORY stdlib DESTINATION ${CMAKE_INSTALL_DATADIR}/losslang COMPONENT tools
        FILES_MATCHING PATTERN "*.loss")

# The headers include each other from the root of the source tree: here from include/losslang.
foreach(part abi module)
  list(APPEND header_folders runtime/${part})
endforeach()
set(installed_targets losslang_runtime)
set_target_properties(losslang_runtime PROPERTIES EXPORT_NAME runtime)
target_include_directories(losslang_runtime INTERFACE
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/losslang>)
target_compile_features(losslang_runtime INTERFACE cxx_std_20)
if(LOSSLANG_ENABLE_TORCH)
  list(APPEND header_folders runtime/torch)
  list(APPEND installed_targets losslang_torch)
  set_target_properties(losslang_torch PROPERTIES EXPORT_NAME torch)
  install(FILES runtime/torch/FindTorchWheel.cmake DESTINATION ${package_dir} COMPONENT development)
endif()
install(DIRECTORY ${header_folders} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/losslang/runtime
        COMPONENT development FILES_MATCHING PATTERN "*.h")
install(TARGETS ${installed_targets} EXPORT LossLangTargets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)
install(EXPORT LossLangTargets NAMESPACE LossLang:: DESTINATION ${package_dir}
        COMPONENT development)

configure_package_config_file(cmake/LossLangConfig.cmake.in
  ${CMAKE_BINARY_DIR}/package/LossLangConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/package/LossLangConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/package/LossLangConfig.cmake
              ${CMAKE_BINARY_DIR}/package/LossLangConfigVersion.cmake
        DESTINATION ${package_dir} COMPONENT development)
