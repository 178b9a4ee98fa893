# ipcmark_add_driver(NAME sources…): builds a driver, NAME.so, that `--driver NAME` or `--driver PATH` loads.
function(ipcmark_add_driver name)
  add_library(ipcmark_driver_${name} MODULE ${ARGN})
  target_link_libraries(ipcmark_driver_${name} PRIVATE ipcmark::driver)
  set_target_properties(ipcmark_driver_${name} PROPERTIES
    PREFIX "" OUTPUT_NAME ${name} SUFFIX .so C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden)
  if(IPCMARK_DRIVER_DIR) # inside the suite's own build
    set_target_properties(ipcmark_driver_${name} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${IPCMARK_DRIVER_DIR})
    target_link_libraries(ipcmark_driver_${name} PRIVATE ipcmark_warnings ipcmark_sanitizers)
    install(TARGETS ipcmark_driver_${name} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/ipcmark/drivers)
  endif()
endfunction()
