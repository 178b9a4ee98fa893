# add_cases(TARGET target PREFIX ref.ring LABELS unit [TIMEOUT seconds] [SERIAL | LOCK name])
# One CTest entry for each case that `target --list` prints (see cases.h), so that a case cannot be forgotten here.
# Each counts for two of ctest's jobs, of which there may be two a processor: other entries mostly wait (./ipcmark test).
# SERIAL: nothing else runs beside it, for cases that measure time. LOCK: none that has the same lock.
set(CASES_DIR ${CMAKE_CURRENT_LIST_DIR})

function(add_cases)
  cmake_parse_arguments(arg "SERIAL" "TARGET;PREFIX;TIMEOUT;LOCK" "LABELS" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 60)
  endif()
  target_include_directories(${arg_TARGET} PRIVATE ${CASES_DIR})
  set(list ${CMAKE_CURRENT_BINARY_DIR}/${arg_TARGET}.ctest.cmake)
  add_custom_command(TARGET ${arg_TARGET} POST_BUILD
    COMMAND ${CMAKE_COMMAND} -DPROGRAM=$<TARGET_FILE:${arg_TARGET}> -DPREFIX=${arg_PREFIX} "-DLABELS=${arg_LABELS}"
            -DTIMEOUT=${arg_TIMEOUT} -DSERIAL=${arg_SERIAL} -DLOCK=${arg_LOCK} -DOUT=${list} -P ${CASES_DIR}/DiscoverCases.cmake
    VERBATIM)
  file(WRITE ${list}.in "if(EXISTS \"${list}\")\n  include(\"${list}\")\nelse()\n  add_test(${arg_PREFIX}.NOT_BUILT ${arg_TARGET})\nendif()\n")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${list}.in)
endfunction()
