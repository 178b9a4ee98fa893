# Writes OUT with the commit that is being built, only if it changed, so that nothing else is compiled again.
if(NOT COMMIT)
  execute_process(COMMAND git describe --always --dirty --abbrev=12 --exclude=* WORKING_DIRECTORY ${SOURCE}
    OUTPUT_VARIABLE COMMIT RESULT_VARIABLE result OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(NOT result EQUAL 0 OR NOT COMMIT)
    set(COMMIT unknown) # not a git checkout
  endif()
endif()
set(text "#define IPCMARK_COMMIT_ID \"${COMMIT}\"\n")
set(old "")
if(EXISTS ${OUT})
  file(READ ${OUT} old)
endif()
if(NOT text STREQUAL old)
  file(WRITE ${OUT} "${text}")
endif()
