# cmake --install: the program, the libraries with their headers, and the files that find_package(leasecheck) reads.
include(CMakePackageConfigHelpers)

set(leasecheck_libraries
  leasecheck_model leasecheck_codec leasecheck_memstore leasecheck_sqlite leasecheck_process leasecheck_engine leasecheck_report leasecheck_history
  leasecheck_linearize leasecheck_trace leasecheck_session_store_trace leasecheck_runtime_persistence_trace leasecheck_runtime_repository_trace
  leasecheck_state_backend_trace
  leasecheck_properties)
set(leasecheck_config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/leasecheck)

install(TARGETS leasecheck RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS ${leasecheck_libraries} EXPORT leasecheckTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
foreach(room model codec memstore adapters properties)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/${room} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/leasecheck
    FILES_MATCHING PATTERN "*.h")
endforeach()
install(EXPORT leasecheckTargets NAMESPACE leasecheck:: DESTINATION ${leasecheck_config_dir})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/leasecheckConfig.cmake.in
  ${PROJECT_BINARY_DIR}/leasecheckConfig.cmake INSTALL_DESTINATION ${leasecheck_config_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/leasecheckConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/leasecheckConfig.cmake ${PROJECT_BINARY_DIR}/leasecheckConfigVersion.cmake
  DESTINATION ${leasecheck_config_dir})
