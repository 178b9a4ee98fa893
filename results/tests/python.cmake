# results_python_cases(NAME [SHELL] SCRIPT script.py ARGUMENTS … CASES …): a CTest entry for each function of a script.
# SHELL: of a shell script, with which sanitizers have nothing to do.
function(results_python_cases name)
  cmake_parse_arguments(PARSE_ARGV 1 of "SHELL" "SCRIPT" "ARGUMENTS;CASES")
  set(labels unit)
  if(of_SHELL)
    list(APPEND labels sanitizer-unfit)
  endif()
  foreach(case IN LISTS of_CASES)
    if(IPCMARK_PYTHON)
      add_test(NAME results.${name}.${case}
               COMMAND ${IPCMARK_PYTHON} -B ${CMAKE_CURRENT_SOURCE_DIR}/${of_SCRIPT} ${case} ${of_ARGUMENTS})
    else()
      add_test(NAME results.${name}.${case} COMMAND sh -c "echo python3 is not installed; exit 77")
    endif()
    set_tests_properties(results.${name}.${case} PROPERTIES LABELS "${labels}" TIMEOUT 120 SKIP_RETURN_CODE 77)
  endforeach()
endfunction()
